"""What Veeam keeps is changed there; beside it, the DPO's notes are ours."""

import pytest

from encryption.errors import JobRefused
from encryption.models import Job, Repository
from encryption.services import jobs
from tests.encryption.conftest import Bench

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail(there, read) -> Job:
    """A job of a Veeam server."""
    there.add_job("Mail")
    read()
    return Job.objects.get(name="Mail")


@pytest.mark.parametrize(
    "fields", [{"name": "Other"}, {"state": "disabled"}, {"schedule_minutes": 5}, {"source": "/srv"}]
)
def test_a_job_is_changed_there(mail, admin, fields):
    with pytest.raises(JobRefused):
        jobs.change_job(mail.pk, by=admin, **fields)


def test_the_data_category_is_noted_here(mail, admin):
    assert jobs.change_job(mail.pk, by=admin, data_category="Mail").data_category == "Mail"


def test_a_job_is_not_deleted_here(mail, admin):
    with pytest.raises(JobRefused):
        jobs.delete_job(mail.pk, by=admin)


def test_no_job_is_made_here(mail, admin):
    with pytest.raises(JobRefused):
        jobs.create_job(by=admin, name="New", repository=mail.repository, source="/srv")


def test_no_job_moves_to_a_veeam_server(bench: Bench, server):
    with pytest.raises(JobRefused):
        jobs.change_job(bench.job.pk, by=bench.user, repository=server.repository)


def test_a_server_is_renamed_here_and_moved_nowhere(server, admin):
    assert jobs.change_repository(server.pk, by=admin, name="Berlin").name == "Berlin"
    with pytest.raises(JobRefused):
        jobs.change_repository(server.pk, by=admin, location="/srv/other")


def test_a_server_is_disconnected_rather_than_deleted(server, admin):
    with pytest.raises(JobRefused):
        jobs.delete_repository(server.pk, by=admin)
    assert Repository.objects.filter(pk=server.pk).exists()
