"""What tests of adoption share: a job whose rows are lost while its files stay."""

from django.db import connection
from django.db.models import Model

from encryption.crypto.secret import Secret
from encryption.models import (
    EncryptionPassword,
    Job,
    JobSession,
    PasswordVersion,
    Rekey,
    RekeyJob,
    RepositoryAdoption,
    RestorePoint,
    VeeamAdoption,
)
from encryption.services import adopting, offering, placing
from tests.encryption.conftest import FIRST, Bench

_ROWS = (RestorePoint, JobSession, RekeyJob, Rekey, Job, PasswordVersion, EncryptionPassword)


def forget(*others: type[Model]) -> None:
    """Lose every row of jobs, passwords and restore points, as a lost database does."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE approvals_approvalrequest SET rekey_id = NULL")
        for model in (*others, *_ROWS):
            cursor.execute(f'DELETE FROM "{model._meta.db_table}"')
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def adopt(bench: Bench) -> RepositoryAdoption:
    """Adopt what lies in the repository, as a worker does, and place what needs no password."""
    row = adopting.adopt(bench.repository.pk, by=bench.user)
    adopting.run_adoption(row.pk)
    settle()
    row.refresh_from_db()
    return row


def settle() -> None:
    for job in Job.objects.filter(adopted__isnull=False):
        placing.settle(job.pk)


def prove(bench: Bench, value: str = FIRST) -> VeeamAdoption:
    """Type the password of the adopted job."""
    job = Job.objects.get(pk=bench.job.pk)
    made = offering.offer(job.password_id, by=bench.user, typed=Secret(value.encode()))
    offering.prove(made.pk)
    settle()
    made.refresh_from_db()
    return made


def whole(bench) -> dict:
    """What the record says of restore points."""
    fields = ("kind", "base_id", "created_at", "size", "storage_key")
    rows = RestorePoint.objects.filter(job=bench.job.pk)
    return {row.pk: tuple(getattr(row, name) for name in fields) for row in rows}
