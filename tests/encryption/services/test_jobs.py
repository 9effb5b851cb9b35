"""Jobs and repositories; whatever touches encryption is referred to a request (P2)."""

import pytest
from django.contrib.auth.models import Permission

from accounts.errors import NotEligible
from accounts.models import Role
from audit.models import Entry
from encryption.errors import JobRefused, PlaceRefused, RequestNeeded, Unknown
from encryption.models import Job, JobUserObjectPermission, Repository
from encryption.selectors import jobs_for
from encryption.services import backups, jobs
from tests.alarms import assert_ended
from tests.encryption.conftest import make_user

pytestmark = pytest.mark.django_db


def test_creation_is_one_entry(bench):
    assert Entry.objects.filter(event="job.created", subject_id=str(bench.job.pk)).count() == 1


def test_change_is_one_entry(bench):
    jobs.change_job(bench.job.pk, by=bench.user, retention_points=3)
    assert Entry.objects.get(event="job.changed").facts == {"retention_points": 3}


@pytest.mark.parametrize("field", ["password", "password_id", "full_next", "encrypted"])
def test_encryption_is_not_changed_here(bench, field):
    """P2: a job's encryption changes by a request alone."""
    with pytest.raises(RequestNeeded):
        jobs.change_job(bench.job.pk, by=bench.user, **{field: None})


def test_refusal_is_one_entry(bench):
    """P12: a refused attempt stands in the log."""
    with pytest.raises(RequestNeeded):
        jobs.change_job(bench.job.pk, by=bench.user, password=None)
    assert Entry.objects.filter(event="attempt.refused", actor=bench.user.pk).count() == 1


def test_encrypted_job_is_not_deleted(activated):
    """P2: deleting an encrypted job needs a request."""
    with pytest.raises(RequestNeeded):
        jobs.delete_job(activated.job.pk, by=activated.user)


def test_job_with_encrypted_points_is_not_deleted(activated):
    """P2: so does deleting one with encrypted restore points."""
    activated.run()
    activated.rekey("deactivate")
    with pytest.raises(RequestNeeded):
        jobs.delete_job(activated.job.pk, by=activated.user)


def test_plain_job_is_deleted_and_its_name_is_free(bench, job_maker):
    jobs.delete_job(bench.job.pk, by=bench.user)
    assert job_maker("Ledgers").pk != bench.job.pk


def test_alarms_about_the_runs_of_a_deleted_job_end(bench):
    session = backups.start_backup(bench.job.pk, by=bench.user)
    bench.source.rename(bench.source.with_name("away"))
    backups.run_backup(session.pk)
    jobs.delete_job(bench.job.pk, by=bench.user)
    assert_ended("job.failed")


def test_encrypted_job_stays_in_its_repository(activated, tmp_path):
    """P2: a place that would leave it unencrypted needs a request."""
    other = jobs.create_repository(by=activated.user, name="Other", location=str(tmp_path / "other"))
    with pytest.raises(RequestNeeded):
        jobs.change_job(activated.job.pk, by=activated.user, repository=other)


def test_repository_of_an_encrypted_job_stays(activated, tmp_path):
    """P2: neither is its folder changed under it."""
    with pytest.raises(RequestNeeded):
        jobs.change_repository(activated.repository.pk, by=activated.user, location=str(tmp_path / "other"))


def test_source_outside_the_roots_is_refused(bench):
    with pytest.raises(PlaceRefused):
        jobs.change_job(bench.job.pk, by=bench.user, source="/etc")


def test_source_of_the_home_is_refused(bench, settings):
    with pytest.raises(PlaceRefused):
        jobs.change_job(bench.job.pk, by=bench.user, source=str(settings.WORKER_KEYS))


def test_taken_name_is_refused(bench, job_maker):
    with pytest.raises(JobRefused, match="taken"):
        job_maker("Ledgers")


@pytest.mark.parametrize("role", [Role.AUDITOR, None])
def test_others_make_no_job(bench, role):
    with pytest.raises(NotEligible):
        jobs.create_job(by=make_user("ada", role), name="X", repository=bench.repository, source="/x")


def test_job_that_is_not_ones_own_is_not_known(bench):
    with pytest.raises(Unknown):
        jobs.change_job(bench.job.pk, by=make_user("ada"), retention_points=3)


def test_job_named_for_a_person_is_seen(bench):
    ada = make_user("ada")
    view = Permission.objects.get(codename="view_job", content_type__app_label="encryption")
    JobUserObjectPermission.objects.create(user=ada, permission=view, content_object=bench.job)
    assert list(jobs_for(ada)) == [bench.job]


def test_used_repository_is_not_forgotten(bench):
    with pytest.raises(JobRefused):
        jobs.delete_repository(bench.repository.pk, by=bench.user)


def test_unused_repository_is_forgotten(bench, tmp_path):
    other = jobs.create_repository(by=bench.user, name="Other", location=str(tmp_path / "other"))
    jobs.delete_repository(other.pk, by=bench.user)
    assert not Repository.objects.filter(pk=other.pk).exists()


def test_disabled_job_is_taken_up_again(bench):
    jobs.change_job(bench.job.pk, by=bench.user, state="disabled")
    assert jobs.change_job(bench.job.pk, by=bench.user, state="active").state == Job.State.ACTIVE
