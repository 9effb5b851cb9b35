"""How a statement and an order name a Veeam server: approvers sign where a password goes."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from encryption.models import RekeyJob, VeeamJob, VeeamServer
from encryption.selectors.jobs import repositories_for


def facts_of_server(server: VeeamServer) -> dict[str, str]:
    """Return the server's address, its name, and by what it is known again."""
    authority = hashlib.sha256(server.authority.encode()).hexdigest() if server.authority else ""
    pin = f"ca:{authority}" if authority else server.thumbprint
    return {"address": f"{server.address}:{server.port}", "name": str(server), "pin": pin}


def veeam_servers_for(user: User) -> QuerySet[VeeamServer]:
    """Return the Veeam servers that a person may see: those whose repository they may see."""
    seen = repositories_for(user).order_by()
    return (
        VeeamServer.objects.filter(repository__in=seen).select_related("repository").order_by("-created_at")
    )


def servers_of(job_ids: Iterable[UUID]) -> dict[UUID, VeeamServer]:
    """Return the Veeam server of each of many jobs that is one's, in one query."""
    rows = VeeamJob.objects.filter(job__in=list(job_ids)).select_related("server")
    return {row.job_id: row.server for row in rows}


def awaited_hints(server: UUID) -> frozenset[str]:
    """Return the hints of passwords that open re-keys are about to make at a server.

    Who finds one there leaves it to the step that made it.
    """
    steps = RekeyJob.objects.filter(
        state__in=RekeyJob.OPEN, job__veeam__server=server, rekey__version__password__veeam=None
    )
    return frozenset(
        hint for hint in steps.values_list("rekey__version__hint", flat=True).distinct() if hint is not None
    )
