"""Offering a value over the API: sealed as it arrives, shown to nobody."""

import pytest
from django.core.cache import cache

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
    read()
    return f"/api/v1/passwords/{VeeamPassword.objects.get().password_id}/adoptions/"


def signed_in(client, role):
    client.force_login(make_user("somebody", role))
    return client


def test_offer_is_taken_and_proved(client, address):
    answer = signed_in(client, Role.OPERATOR).post(
        address, {"password": VALUE}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    adoption.prove(VeeamAdoption.objects.get().pk)
    listed = client.get(address).json()["results"]
    assert [one["state"] for one in listed] == ["adopted"]
    assert VALUE not in str(listed)


def test_auditor_offers_nothing(client, address):
    answer = signed_in(client, Role.AUDITOR).post(
        address, {"password": VALUE}, content_type="application/json"
    )
    assert (answer.status_code, VeeamAdoption.objects.count()) == (403, 0)


def test_anonymous_gets_nothing(client, address):
    assert client.post(address, {"password": VALUE}, content_type="application/json").status_code == 401
