"""What PostgreSQL itself refuses about jobs, versions and re-keys, whoever asks."""

import contextlib
import uuid

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from encryption.models import (
    Attestation,
    Drift,
    Job,
    JobSession,
    PasswordVersion,
    Rekey,
    RekeyJob,
    RestorePoint,
)
from tests.encryption.conftest import FIRST, SECOND, make_bench

pytestmark = pytest.mark.django_db


@pytest.fixture
def rekeyed(activated):
    """A job with a run, an attested activation and a change that is done."""
    activated.attest(Rekey.objects.get())
    activated.run()
    activated.rekey("change", SECOND)
    Drift.objects.create(job=activated.job, what="keyring.changed")
    return activated


KEPT = (Attestation, PasswordVersion, Rekey, RekeyJob, RestorePoint, JobSession, Drift, Job)


@pytest.mark.parametrize("model", KEPT, ids=lambda model: model.__name__)
def test_row_is_not_deleted(rekeyed, model):
    """P13: history survives."""
    with connection.cursor() as cursor, pytest.raises(IntegrityError), transaction.atomic():
        cursor.execute(f"DELETE FROM {model._meta.db_table}")


@pytest.mark.parametrize("model", KEPT, ids=lambda model: model.__name__)
def test_table_is_not_truncated(bench, model):
    """P13: nor as a whole."""
    with (
        connection.cursor() as cursor,
        pytest.raises(Exception, match=r"refused|pending"),
        transaction.atomic(),
    ):
        cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (Attestation, {"fingerprint": "aa" * 32}),
        (Rekey, {"order": {}}),
        (Rekey, {"scope": "data"}),
        (RekeyJob, {"new_fingerprint": "aa" * 32}),
        (RekeyJob, {"user_key": uuid.UUID(int=3)}),
        (RekeyJob, {"proof": {}}),
        (RekeyJob, {"fence": 0}),
        (PasswordVersion, {"kdf": {}}),
        (PasswordVersion, {"sealed_root": b"x"}),
        (RestorePoint, {"created_at": timezone.now()}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else ",".join(value),
)
def test_written_once(rekeyed, model, values):
    """P11, P13: orders, proofs, versions and attestations are not rewritten."""
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.update(**values)


def test_needed_version_is_not_erased(rekeyed):
    """P11: a version that a restore point needs stays."""
    newest = PasswordVersion.objects.filter(number=2)
    with pytest.raises(IntegrityError, match="needs this version"), transaction.atomic():
        newest.update(sealed_password=None, sealed_root=None, erased_at=timezone.now())


def test_encrypted_job_is_not_deleted(activated):
    """P2: the database refuses too."""
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.update(state="deleted", password=None)


def test_repository_of_an_encrypted_job_stays(activated):
    """P2: neither is it moved to a place that would leave it unencrypted."""
    with pytest.raises(IntegrityError), transaction.atomic():
        type(activated.repository).objects.update(location="/elsewhere")


def test_two_runs_of_a_job_are_refused(bench):
    JobSession.objects.create(job=bench.job, kind="backup")
    with pytest.raises(IntegrityError), transaction.atomic():
        JobSession.objects.create(job=bench.job, kind="backup")


def test_two_open_steps_of_a_job_are_refused(activated):
    version = activated.order("change", SECOND).version
    other = Rekey.objects.create(
        request=uuid.uuid4(), action="change", version=version, order={}, retry_until=timezone.now()
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        RekeyJob.objects.create(rekey=other, job=activated.job, old_fingerprint="", new_fingerprint="")


# What takes effect, and what backs a badge, is not the web's to write.
NOT_THE_WEBS = (
    "UPDATE encryption_job SET password_id = NULL",
    "UPDATE encryption_job SET observed_fingerprint = 'x', observed_at = now()",
    "UPDATE encryption_job SET full_next = false",
    "INSERT INTO encryption_attestation SELECT * FROM encryption_attestation",
    "UPDATE encryption_attestation SET fingerprint = ''",
    "UPDATE encryption_rekey SET state = 'failed'",
    "UPDATE encryption_rekeyjob SET state = 'queued'",
    "UPDATE encryption_passwordversion SET hint = 'x'",
    "UPDATE encryption_restorepoint SET password_version_id = NULL, storage_key = NULL",
    "UPDATE encryption_drift SET closed_at = now()",
    "UPDATE encryption_jobsession SET state = 'failed'",
    "UPDATE encryption_encryptionpassword SET hint = 'x'",
    # An activated job that nobody decided on.
    "INSERT INTO encryption_job SELECT (j).* FROM (SELECT jsonb_populate_record(t,"
    " jsonb_build_object('id', gen_random_uuid(), 'name', 'copy')) AS j FROM encryption_job t) s",
)


@pytest.mark.django_db(transaction=True)
def test_web_may_not(as_role, vsec_home, tmp_path):
    """P2, P10: the web's role is refused by the database."""
    make_bench(vsec_home, tmp_path).rekey("activate", FIRST)
    web, done = as_role("web"), []
    for statement in NOT_THE_WEBS:
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege, psycopg.errors.CheckViolation):
            web.execute(statement)
            done.append(statement)
    assert done == []


@pytest.mark.django_db(transaction=True)
def test_web_changes_what_a_job_does(as_role, vsec_home, tmp_path):
    make_bench(vsec_home, tmp_path)
    as_role("web").execute("UPDATE encryption_job SET retention_points = 3")
    assert Job.objects.get().retention_points == 3
