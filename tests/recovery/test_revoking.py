"""A backup server that counts no more: wished by one, done by the enterprise worker, refused by name."""

from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.errors import NotEligible
from audit.models import Entry
from recovery import offline
from recovery.errors import Replayed, UnknownServer
from recovery.models import BackupServer, EnterpriseTask
from recovery.services import answers, cases, identity, servers
from tests.pages.conftest import as_user, text_of
from tests.recovery.conftest import obeyed
from tests.recovery.other import other_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(enterprise, decided, tmp_path, settings):
    """Another backup server's keys, registered here."""
    keys, text = other_server(tmp_path / "other", "Backup B")
    made = servers.offer(text, by=enterprise)
    decided("register_server", server=made.pk)
    made.refresh_from_db()
    assert made.state == BackupServer.State.REGISTERED
    return made, keys


def test_a_revoked_server_gets_nothing(people, enterprise, encrypted, other, settings):
    """Its next request is refused by name; the log says who wished it."""
    made, keys = other
    servers.revoke(made.pk, by=enterprise, reason="Stolen.")
    obeyed()
    made.refresh_from_db()
    assert made.state == BackupServer.State.REVOKED
    assert list(
        Entry.objects.filter(event__startswith="server.revo")
        .order_by("sequence")
        .values_list("event", flat=True)
    ) == ["server.revocation_wished", "server.revoked"]
    folder = Path(encrypted.repository.location) / str(encrypted.pk)
    text = offline.make_request(folder, keys, reason="Lost.")
    with pytest.raises(UnknownServer, match="revoked"):
        answers.receive(text, by=enterprise, number="C-1")


def test_what_it_wrote_is_recovered_through_another(people, enterprise, encrypted, other, decided):
    """The lines of a lost server still count: only its requests do not."""
    BackupServer.objects.filter(own=True).update(state="revoked")
    folder = Path(encrypted.repository.location) / str(encrypted.pk)
    text = offline.make_request(folder, other[1], reason="The server burnt.")
    received = answers.receive(text, by=enterprise, number="C-1")
    decided("recover_key", case=received.pk)
    received.refresh_from_db()
    assert received.state == "answered", EnterpriseTask.objects.first().why


def test_lines_of_a_server_that_was_only_offered_do_not_count(enterprise, encrypted, asked_lines):
    BackupServer.objects.filter(own=True).update(state="offered", registered_at=None)
    with pytest.raises(UnknownServer, match="not approved"):
        answers.check_lines(asked_lines)


@pytest.fixture
def asked_lines(people, encrypted):
    """The lines of a request of this installation."""
    case = cases.ask([encrypted.pk], by=people.operator, reason="Lost.")
    cases.make_request(case.pk)
    case.refresh_from_db()
    from encryption.crypto.encoding import parse

    return answers.read(parse(bytes(case.request)))[0].lines


def test_a_revoked_server_does_not_come_back(enterprise, other):
    made, _keys = other
    servers.revoke(made.pk, by=enterprise, reason="Sold.")
    obeyed()
    with pytest.raises(Replayed):
        servers.offer(identity.text_of(made), by=enterprise)
    with pytest.raises(UnknownServer):
        servers.revoke(made.pk, by=enterprise, reason="Again.")


def test_who_may_not_ask_revokes_nothing(people, other):
    with pytest.raises(NotEligible):
        servers.revoke(other[0].pk, by=people.operator, reason="No.")
    assert not EnterpriseTask.objects.filter(action="revoke").exists()


def test_the_own_server_is_not_revoked(people, enterprise):
    with pytest.raises(UnknownServer, match="own"):
        servers.revoke(BackupServer.objects.get(own=True).pk, by=people.dpo, reason="x")


def test_no_other_action_goes_without_an_order(enterprise):
    with pytest.raises(IntegrityError), transaction.atomic():
        EnterpriseTask.objects.create(action="register", given={})


def test_revoked_in_pages(people, other):
    browser = as_user(people.dpo)
    page = reverse("recovery_revoke", args=[other[0].pk])
    assert page in text_of(browser.get(reverse("recovery")))
    assert browser.post(page, {"reason": ""}).status_code == 400
    assert browser.post(page, {"reason": "Stolen."}).status_code == 302
    obeyed()
    assert "Revoked" in text_of(browser.get(reverse("recovery")))
    assert as_user(people.operator).get(page).status_code == 403
