"""A password made by a request at one Veeam server is released, and another server takes it."""

import pytest

from approvals.models import State
from approvals.services import requests
from encryption.models import VeeamPassword, VeeamServer
from recovery.models import Release
from recovery.services import releases
from tests.approvals.conftest import SECRET, approve, work
from tests.approvals.veeam.conftest import ask_for, job_named, the_password
from tests.approvals.veeam.test_types import peer, server
from tests.peer.client import Session
from tests.recovery.test_releases import Page
from veeamsec.peer import serve

__all__ = ["ask_for", "peer", "server"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def handed_over(people, server: VeeamServer, ask_for) -> str:
    """What Norbert reads on his page, of the password that Security approved for a job at the server."""
    made = ask_for("activate_encryption", "Test VMs", new_password=SECRET, hint="Test 2026")
    assert work(approve(people.dpo, made)).state == State.EXECUTED
    password = the_password(job_named("Test VMs"))
    given = {"encryption_password": password.pk, "user": people.nobody.pk}
    asked = requests.ask("release_password", by=people.operator, reason="A new server.", **given)
    assert work(approve(people.dpo, asked)).state == State.EXECUTED
    release, page = Release.objects.get(), Page()
    releases.open_page(release.pk, page.point, by=people.nobody)
    releases.seal(release.pk)
    sealed = releases.take(release.pk, by=people.nobody)
    assert sealed is not None
    return page.open(sealed, release)


def test_the_server_that_has_it_verifies_what_was_released(peer, handed_over):
    with Session(peer) as session:
        there = VeeamPassword.objects.get(password=the_password(job_named("Test VMs"))).external
        path = f"encryptionPasswords/{there}/verify"
        told = [
            session.post(path, {"password": value}).json()["isSuccessful"]
            for value in (handed_over, f"{handed_over}!")
        ]
    assert told == [True, False]


def test_a_new_server_takes_it_as_an_imported_password(handed_over):
    with serve() as new, Session(new) as session:
        body = {"hint": "Test 2026", "password": handed_over, "isImported": True}
        made = session.post("encryptionPasswords", body)
        assert made.status_code == 201
        kept = session.post(f"encryptionPasswords/{made.json()['id']}/verify", {"password": SECRET})
        assert kept.json()["isSuccessful"]
