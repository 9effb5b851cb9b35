"""What is to become of the jobs of a Veeam server, before anything is sent there."""

import re
from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from django.views.decorators.debug import sensitive_variables

from encryption import order as orders
from encryption import selectors
from encryption.crypto.secret import Secret
from encryption.errors import PasswordRefused, TargetChanged
from encryption.models import Job, PasswordVersion, VeeamServer
from encryption.services import planning, vault
from encryption.services.planning import NewVersion, Plan, Wish

# A request's number at the end of a hint, so that Veeam's console shows it: a pointer, never a proof.
_NUMBER = re.compile(r"\s*\(R-[0-9]+\)$")


@sensitive_variables("secret")
def plan(wish: Wish, secret: Secret | None, jobs: Sequence[Job]) -> Plan:
    """Plan for jobs of one Veeam server; their keys were observed just before.

    The fingerprint that will follow is known only when it is read back: an order names none. Raises
    TargetChanged, PasswordRefused.
    """
    server = _server(jobs)
    for job in jobs:
        if job.observed_fingerprint != wish.jobs[job.pk]:
            raise TargetChanged(
                f"The encryption of {job.name} is not the one that was approved for a change."
            )
    facts, note = selectors.facts_of_server(server), f"(R-{wish.number})" if wish.described else ""
    if wish.action == "deactivate":
        return Plan(_targets(wish.jobs, None), server=facts, note=note)
    version_id, version = _version(wish, secret, jobs)
    return Plan(_targets(wish.jobs, version_id), version_id, version, facts, note)


def numbered(text: str, note: str) -> str:
    """Return a hint or description that ends with the number of its request; a former number goes."""
    return f"{_NUMBER.sub('', text)} {note}".strip()


def _server(jobs: Sequence[Job]) -> VeeamServer:
    found = selectors.servers_of(job.pk for job in jobs)
    if len(found) != len(jobs) or len({server.pk for server in found.values()}) != 1:
        raise TargetChanged("The jobs of one request are of one Veeam server.")
    return next(iter(found.values()))


def _targets(jobs: Mapping[UUID, str], version: UUID | None) -> list[orders.Target]:
    return [orders.Target(job, fingerprint, "", version) for job, fingerprint in jobs.items()]


@sensitive_variables("secret", "former")
def _version(wish: Wish, secret: Secret | None, jobs: Sequence[Job]) -> tuple[UUID, NewVersion | None]:
    newest = selectors.newest_version(planning.password_named(wish))
    if wish.restores is not None:
        former = PasswordVersion.objects.get(pk=wish.restores)
        return _following(wish, newest, vault.password_of(former), former.strength)
    if secret is None:
        version = planning.existing(wish, newest)
        if version.sealed_password is None and not version.password.veeam.is_kms:
            raise PasswordRefused("Nobody has proved to know this password yet: adopt it first.")
        return version.pk, None
    return _following(wish, newest, secret, planning.judge(wish, secret, jobs, newest))


@sensitive_variables("value")
def _following(
    wish: Wish, newest: PasswordVersion | None, value: Secret, strength: int
) -> tuple[UUID, NewVersion]:
    version_id, number = uuid4(), planning.next_number(newest)
    note = f"(R-{wish.number})" if wish.number else ""
    hint = numbered(wish.hint or (newest.hint if newest else ""), note)
    sealed = vault.seal_value(version_id, number, value)
    length = len(value.reveal().decode())
    return version_id, NewVersion(version_id, number, hint, sealed, strength, length, wish.known_to)
