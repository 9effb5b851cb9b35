"""What a request about jobs or a password of a Veeam server may ask; the rest is refused early."""

from collections.abc import Sequence
from uuid import UUID

from approvals.errors import Invalid
from approvals.models import Kind
from approvals.services.wishes import Wish
from encryption import selectors as encryption
from encryption.models import EncryptionPassword, Job, VeeamJob, VeeamPassword, VeeamServer


def holds(password: EncryptionPassword | None) -> bool:
    """Say whether a password is one of a Veeam server."""
    return password is not None and VeeamPassword.objects.filter(password=password).exists()


def check(wish: Wish, jobs: Sequence[Job], password: EncryptionPassword | None) -> None:
    """Raise Invalid for what cannot be done there."""
    there = VeeamPassword.objects.filter(password=password).first() if password is not None else None
    server = _one_server(jobs, password, there)
    if server is not None and server.mode == VeeamServer.Mode.OFF:
        raise Invalid(f"{server} is disconnected: nothing can be changed there.")
    if wish.scope == "data":
        raise Invalid("Veeam writes new data by its own schedule: ask for a change of the password alone.")
    if wish.then == "delete":
        raise Invalid(
            "Restore points of a Veeam server go by its own retention; they cannot be deleted here."
        )
    if there is not None:
        _check_password(wish, there)


def _one_server(
    jobs: Sequence[Job], password: EncryptionPassword | None, there: VeeamPassword | None
) -> VeeamServer | None:
    rows = VeeamJob.objects.filter(job__in=jobs).select_related("server", "job").order_by("job__name")
    found = {row.job_id: row for row in rows}
    servers = {row.server_id: row.server for row in rows}
    if there is not None:
        servers[there.server_id] = there.server
    if len(found) != len(jobs) or len(servers) > 1 or (password is not None and there is None):
        raise Invalid("One request is about the jobs and the password of one Veeam server, and of no other.")
    for row in rows:
        if row.gone_at is not None:
            raise Invalid(f"{row.job.name} does not exist at {row.server} any more.")
        if not row.blocks:
            raise Invalid(f"Veeam encrypts nothing in a job of the type {row.type} ({row.job.name}).")
    return next(iter(servers.values()), None)


def _check_password(wish: Wish, there: VeeamPassword) -> None:
    if there.gone_at is not None and wish.kind != Kind.DELETE:
        raise Invalid("This password does not exist at the Veeam server any more.")
    if there.is_kms and wish.kind != Kind.ACTIVATE:
        raise Invalid("A KMS server's keys are changed there, by its own policy, and not here.")
    if wish.kind == Kind.ACTIVATE and not there.is_kms and not _is_known(there.password_id):
        raise Invalid("Nobody here has proved to know this password: adopt it first.")


def _is_known(password: UUID) -> bool:
    newest = encryption.newest_version(password)
    return newest is not None and newest.sealed_password is not None
