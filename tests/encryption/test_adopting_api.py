"""Adopting a repository over the API: asked for, looked at, proved; values are shown to nobody."""

import pytest
from rest_framework.test import APIClient

from accounts.models import Role
from encryption.models import Job, RepositoryAdoption, VeeamAdoption
from encryption.services import adopting, offering
from tests.encryption.adopted import forget, settle
from tests.encryption.conftest import FIRST, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost(activated):
    activated.run()
    forget()
    return activated


def caller(user) -> APIClient:
    made = APIClient(SERVER_NAME="localhost", SERVER_PORT="8000")
    made.force_authenticate(user)
    return made


def test_adopt_list_and_restore_with_the_typed_password(lost, tmp_path):
    api, address = caller(lost.user), f"/api/v1/repositories/{lost.repository.pk}/adopt/"
    answer = api.post(address)
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    adopting.run_adoption(RepositoryAdoption.objects.get().pk)
    [found] = api.get(address).json()["results"]
    assert (found["state"], found["jobs"], found["points"], found["named"]) == ("done", 1, 1, [])
    [point] = api.get(f"/api/v1/jobs/{lost.job.pk}/restore-points/").json()["results"]
    assert (point["kind"], point["base"]) == ("point", None)
    password = Job.objects.get().password_id
    answer = api.post(f"/api/v1/passwords/{password}/adoptions/", {"password": FIRST}, format="json")
    assert answer.status_code == 202
    offering.prove(VeeamAdoption.objects.get().pk)
    settle()
    [point] = api.get(f"/api/v1/jobs/{lost.job.pk}/restore-points/").json()["results"]
    assert point["kind"] == "full"
    keys = api.get(f"/api/v1/jobs/{lost.job.pk}/keys/").json()
    assert keys["password"] == str(password)
    assert FIRST not in str(keys)


def test_auditor_adopts_nothing(lost):
    answer = caller(make_user("aude", Role.AUDITOR)).post(f"/api/v1/repositories/{lost.repository.pk}/adopt/")
    assert (answer.status_code, RepositoryAdoption.objects.count()) == (403, 0)
