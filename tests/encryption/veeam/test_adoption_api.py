"""Offering a value over the API: sealed as it arrives, shown to nobody."""

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from accounts.models import Role
from encryption.models import VeeamAdoption, VeeamPassword
from encryption.services.veeam import adoption
from tests.encryption.conftest import make_user

pytestmark = pytest.mark.django_db

VALUE = "plain-Sailing-19"


@pytest.fixture
def address(there, read):
    cache.clear()
    there.add_password("Gold", VALUE)
    there.password = lambda external: there.held[external]
    read()
    return f"/api/v1/passwords/{VeeamPassword.objects.get().password_id}/adoptions/"


def caller(role) -> APIClient:
    made = APIClient(SERVER_NAME="localhost", SERVER_PORT="8000")
    made.force_authenticate(make_user("somebody", role))
    return made


def test_offer_is_taken_and_proved(address):
    api = caller(Role.OPERATOR)
    answer = api.post(address, {"password": VALUE}, format="json")
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    adoption.prove(VeeamAdoption.objects.get().pk)
    listed = api.get(address).json()["results"]
    assert [one["state"] for one in listed] == ["adopted"]
    assert VALUE not in str(listed)


def test_auditor_offers_nothing(address):
    answer = caller(Role.AUDITOR).post(address, {"password": VALUE}, format="json")
    assert (answer.status_code, VeeamAdoption.objects.count()) == (403, 0)


def test_anonymous_gets_nothing(address):
    anonymous = APIClient(SERVER_NAME="localhost", SERVER_PORT="8000")
    assert anonymous.post(address, {"password": VALUE}, format="json").status_code == 401
