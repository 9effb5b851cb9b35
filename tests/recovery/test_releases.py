"""A password released to a custodian: decided by Security, shown once, on the custodian's page alone."""

import base64
import os
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.errors import NotEligible
from accounts.models import Person
from approvals.errors import OwnRequest
from approvals.services import requests
from audit import services as audit
from audit.models import Alarm, Entry
from encryption.crypto import handover
from encryption.errors import SealBroken
from encryption.models import EncryptionPassword
from recovery.errors import OutOfTime, Replayed
from recovery.models import Release
from recovery.services import releases
from tests.alarms import assert_ended
from tests.approvals.conftest import SECRET, approve, work
from tests.approvals.executing import change
from tests.pages.conftest import as_user
from tests.recovery.page import Page

pytestmark = pytest.mark.django_db


def asked(people, encrypted, **fields):
    """The request, by the operator, for Norbert."""
    given = {"encryption_password": encrypted.password_id, "user": people.nobody.pk} | fields
    return requests.ask("release_password", by=people.operator, reason="The new server needs it.", **given)


@pytest.fixture
def release(people, encrypted) -> Release:
    """A release that Security approved."""
    request = asked(people, encrypted)
    approve(people.dpo, request)
    request = work(request)
    assert request.state == "executed", request.outcome
    return Release.objects.get()


def test_the_custodian_reads_it_once(release, people):
    page = Page()
    releases.open_page(release.pk, page.point, by=people.nobody)
    assert releases.take(release.pk, by=people.nobody) is None
    releases.seal(release.pk)
    assert page.open(releases.take(release.pk, by=people.nobody), release) == SECRET
    with pytest.raises(Replayed):
        releases.take(release.pk, by=people.nobody)
    with pytest.raises(Replayed):
        releases.open_page(release.pk, Page().point, by=people.nobody)


def test_who_asked_stays_first_among_those_who_know(release, people, vsec_home):
    """The sign *secured* leaves out who asked; a release must not put somebody else in their place."""
    asker = release.version.known_to[0]
    first = Person.objects.create(id=UUID(int=1), name="First in any order")
    with audit.act(by=audit.WORKER, subject="release"):
        other = releases.grant_within(release.version_id, first.pk, request=uuid4())
    Release.objects.filter(pk=other.pk).update(public_key=Page().point)
    releases.seal(other.pk)
    release.version.refresh_from_db()
    assert release.version.known_to == [asker, str(first.pk)]


def test_nobody_else_opens_it(release, people):
    with pytest.raises(NotEligible):
        releases.open_page(release.pk, Page().point, by=people.dpo)


def test_p1_neither_asker_nor_custodian_decides(people, encrypted):
    """P1: the custodian counts as an asker."""
    request = asked(people, encrypted, user=people.ciso.pk)
    with pytest.raises(OwnRequest):
        approve(people.ciso, request)


def test_p4_an_administrator_does_not_release(people, encrypted):
    """P4"""
    with pytest.raises(Exception, match="Security"):
        approve(people.administrator, asked(people, encrypted))


def test_p4_the_database_takes_no_vote_of_an_administrator_on_a_release(people, encrypted):
    request = asked(people, encrypted)
    fields = {"voter": people.administrator, "person_id": people.administrator.person_id}
    fields |= {"asker_person_id": request.asker_person_id, "capacity": "administrator", "verdict": "approve"}
    with pytest.raises(IntegrityError, match="Security alone"), transaction.atomic():
        request.votes.create(**fields, digest=request.digest, proof={"factor": "totp", "nonce": "n"})


def test_it_ends_after_a_week(release, people, monkeypatch):
    later = timezone.now() + releases.VALID
    monkeypatch.setattr(timezone, "now", lambda: later)
    with pytest.raises(OutOfTime):
        releases.open_page(release.pk, Page().point, by=people.nobody)


def test_a_change_is_proposed_afterwards(release, people):
    releases.open_page(release.pk, Page().point, by=people.nobody)
    releases.seal(release.pk)
    release.version.refresh_from_db()
    assert str(people.nobody.person_id) in release.version.known_to
    assert Alarm.objects.filter(kind="password.released", resolved_at=None).exists()


def test_p9_the_value_is_nowhere_in_clear(release, people):
    """P9: sealed to the page, erased when it was taken."""
    releases.open_page(release.pk, Page().point, by=people.nobody)
    releases.seal(release.pk)
    releases.take(release.pk, by=people.nobody)
    release.refresh_from_db()
    assert release.sealed is None
    assert not any(SECRET.encode() in bytes(entry.canonical) for entry in Entry.objects.all())


def test_a_point_off_the_curve_is_refused():
    with pytest.raises(SealBroken):
        handover.seal_to_page(b"\x04" + os.urandom(64), b"value", b"info")


def test_the_page_goes_through_the_web(release, people):
    browser, page = as_user(people.nobody), Page()
    base = f"/custody/releases/{release.pk}"
    assert browser.get(f"{base}/").status_code == 200
    sent = browser.post(f"{base}/key/", {"public_key": base64.b64encode(page.point).decode()})
    assert sent.status_code == 202
    assert browser.post(f"{base}/take/").status_code == 202
    releases.seal(release.pk)
    assert page.open(browser.post(f"{base}/take/").json(), release) == SECRET
    assert as_user(people.dpo).get(f"{base}/").status_code == 404


@pytest.mark.alarm("password.released")
def test_the_alarm_about_a_release_ends_with_another_password(release, people, encrypted):
    page = Page()
    releases.open_page(release.pk, page.point, by=people.nobody)
    releases.seal(release.pk)
    told = Alarm.objects.filter(kind="password.released").exclude(state="resolved")
    assert releases.watch() == 0
    assert told.exists()
    changed = change(people, encrypted.password_id, hint="After the release")
    approve(people.dpo, changed)
    assert work(changed).state == "executed"
    assert releases.watch() == 1
    assert not told.exists()


def test_the_alarm_about_a_release_ends_with_the_password(release, people, encrypted):
    releases.open_page(release.pk, Page().point, by=people.nobody)
    releases.seal(release.pk)
    EncryptionPassword.objects.filter(pk=encrypted.password_id).update(deleted_at=timezone.now())
    assert releases.watch() == 1
    assert_ended("password.released")
