"""Between the order and the step: a plain job is not taken from under its approved activation."""

import psycopg
import pytest
from django.db import IntegrityError, transaction

from encryption.errors import JobBusy
from encryption.models import Job, RekeyJob, Repository
from encryption.services import jobs, steps
from tests.encryption.conftest import FIRST

pytestmark = pytest.mark.django_db


@pytest.fixture
def ordered(bench):
    """An activation whose step waits."""
    bench.order("activate", FIRST)
    return bench


def test_job_is_not_deleted_under_its_activation(ordered):
    """P11: the step would fail for ever, and its request would never end."""
    with pytest.raises(JobBusy):
        jobs.delete_job(ordered.job.pk, by=ordered.user)
    step = RekeyJob.objects.get(job=ordered.job)
    steps.run_step(step.pk)
    step.refresh_from_db()
    assert step.state == "succeeded"


def test_p5_job_is_not_moved_under_its_activation(ordered, tmp_path):
    """P5: another place may fall under a stricter policy than the one that was met."""
    other = jobs.create_repository(by=ordered.user, name="Other", location=str(tmp_path / "other"))
    with pytest.raises(JobBusy):
        jobs.change_job(ordered.job.pk, by=ordered.user, repository=other)


def test_p5_folder_is_not_changed_under_an_activation(ordered, tmp_path):
    """P5: nor is the place itself."""
    with pytest.raises(JobBusy):
        jobs.change_repository(ordered.repository.pk, by=ordered.user, location=str(tmp_path / "other"))


def test_name_is_changed_under_an_activation(ordered):
    assert jobs.change_job(ordered.job.pk, by=ordered.user, name="Books").name == "Books"


def test_database_refuses_deletion_under_an_activation(ordered):
    with pytest.raises(IntegrityError, match="carried out"), transaction.atomic():
        Job.objects.filter(pk=ordered.job.pk).update(state="deleted")


def test_database_refuses_another_folder_under_an_activation(ordered):
    with pytest.raises(IntegrityError, match="stays where it is"), transaction.atomic():
        Repository.objects.filter(pk=ordered.repository.pk).update(location="/elsewhere")


FORGED = {
    "a file to clear away": "queued', gen_random_uuid(), 0, NULL",
    "a running one": "running', NULL, 0, NULL",
    "a fence": "queued', NULL, 7, NULL",
    "a lease": "queued', NULL, 0, now()",
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("values", FORGED.values(), ids=FORGED)
def test_web_names_no_file_that_a_run_would_clear_away(as_role, bench, values):
    """P2: a session is a wish; a restore point that no row knows is not deleted by a forged one."""
    statement = (
        "INSERT INTO encryption_jobsession (id, job_id, kind, wish, done_bytes, done_files, warnings, error,"
        " created_at, state, restore_point, fence, lease_until)"
        f" VALUES (gen_random_uuid(), %s, 'backup', '{{}}', 0, 0, '[]', '', now(), '{values})"
    )
    with pytest.raises(psycopg.errors.CheckViolation, match="begins as a wish"):
        as_role("web").execute(statement, [bench.job.pk])
