"""Another installation's keyset: shown, compared, approved, taken; what is not to be taken, by name."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts.errors import NotEligible
from approvals.services import requests
from audit.models import Entry
from encryption.crypto import keysets as suites
from encryption.crypto.encoding import from_base64
from encryption.models import JobSession, KeysetGuard, RestorePoint
from encryption.services import protection
from recovery import armor
from recovery.documents.forms import in_groups
from recovery.errors import AnotherKind, ForAnother, NotGenuine, OutOfTime, Replayed
from recovery.models import BackupServer, Keyset, LossProtection
from recovery.services import identity, keysets, taking
from tests.approvals.conftest import approve, run, work
from tests.pages.conftest import as_user, text_of
from tests.recovery.conftest import obeyed
from tests.recovery.other import Manager
from tests.recovery.test_api import API, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Manager:
    return Manager()


def refused(enterprise, text):
    """What is raised when somebody asks to take it."""
    with pytest.raises(Exception) as found:
        requests.ask("take_keyset", by=enterprise, reason="As planned.", text=text)
    return found.value


def test_from_then_on_points_are_wrapped_for_it(people, enterprise, ask, job, decided, manager):
    request = ask()
    approve(people.dpo, request)
    work(request)
    run(job)
    [older] = RestorePoint.objects.filter(job=job)
    folder = Path(job.repository.location) / str(job.pk)
    decided("take_keyset", text=manager.announce())
    [taken] = Keyset.objects.filter(state="active", own=False)
    run(job)
    newer = RestorePoint.objects.filter(job=job).exclude(pk=older.pk).get()
    assert json.loads((folder / f"{newer.pk}.recovery").read_bytes())["keyset"] == str(taken.pk)
    assert not (folder / f"{older.pk}.recovery").exists()
    # What exists is covered when somebody asks for it.
    protection.start_cover(job.pk, by=people.operator)
    protection.run_cover(JobSession.objects.get(kind="cover").pk)
    assert json.loads((folder / f"{older.pk}.recovery").read_bytes())["keyset"] == str(taken.pk)


def test_its_manager_is_trusted_and_the_log_says_so(enterprise, decided, manager):
    request = decided("take_keyset", text=manager.announce())
    held = LossProtection.objects.get()
    assert held.trusted_enterprise == manager.enterprise
    assert bytes(held.trusted_key) == manager.key.public_key().public_bytes_raw()
    entry = Entry.objects.get(event="keyset.taken")
    fingerprint = json.loads(bytes(request.statement))["change"]["fingerprint"]
    assert fingerprint in bytes(entry.canonical).decode()


def test_nothing_is_taken_before_the_decision(enterprise, manager):
    requests.ask("take_keyset", by=enterprise, reason="As planned.", text=manager.announce())
    obeyed()
    assert not Keyset.objects.exists()
    assert not KeysetGuard.objects.exists()


def test_the_next_one_of_the_same_manager_needs_a_request_too_and_retires_the_former(
    enterprise, decided, manager
):
    decided("take_keyset", text=manager.announce("Winter"))
    later = datetime.now(UTC) + timedelta(seconds=5)
    request = decided("take_keyset", text=manager.announce("Spring", activated=later))
    assert json.loads(bytes(request.statement))["change"]["retires"]
    assert dict(Keyset.objects.values_list("description", "state")) == {
        "Winter": "retired",
        "Spring": "active",
    }
    assert KeysetGuard.objects.get(until=None).keyset == Keyset.objects.get(description="Spring").pk


def test_another_manager_is_refused_from_then_on(enterprise, decided, manager):
    decided("take_keyset", text=manager.announce())
    assert isinstance(refused(enterprise, Manager().announce()), ForAnother)
    same_name = Manager(enterprise=manager.enterprise)
    assert isinstance(refused(enterprise, same_name.announce()), ForAnother)


def test_an_installation_that_activated_its_own_takes_no_other(enterprise, keyset, manager):
    assert isinstance(refused(enterprise, manager.announce()), ForAnother)


def test_an_own_one_is_not_taken(enterprise, keyset):
    error = refused(enterprise, keysets.announcement_text(keyset))
    assert isinstance(error, ForAnother)
    assert "itself" in str(error)


def test_where_one_was_taken_no_own_one_is_activated(enterprise, decided, manager):
    decided("take_keyset", text=manager.announce())
    task = keysets.generate(by=enterprise, suite=suites.X_WING, description="Own")
    obeyed()
    with pytest.raises(ForAnother):
        requests.ask("activate_keyset", by=enterprise, reason="x", keyset=task.pk)


def test_one_that_ran_out_is_refused(enterprise, manager):
    past = datetime.now(UTC) - timedelta(minutes=1)
    assert isinstance(refused(enterprise, manager.announce(expires=past)), OutOfTime)


def test_an_older_one_than_the_one_in_force_is_refused(enterprise, decided, manager):
    text = manager.announce()
    decided("take_keyset", text=text)
    assert isinstance(refused(enterprise, text), Replayed)
    older = datetime.now(UTC) - timedelta(days=1)
    assert isinstance(refused(enterprise, manager.announce(activated=older)), Replayed)


def test_what_another_key_signed_is_not_genuine(enterprise, manager):
    stranger = Manager().key.public_key().public_bytes_raw()
    assert isinstance(refused(enterprise, manager.announce(enterprise_key=stranger)), NotGenuine)


@pytest.mark.parametrize("given", [{"public": b"short"}, {"suite": "rsa-4096"}])
def test_a_public_half_that_wraps_nothing_is_not_genuine(enterprise, manager, given):
    """It would stop every backup."""
    assert isinstance(refused(enterprise, manager.announce(**given)), NotGenuine)


def test_a_server_is_no_keyset(enterprise):
    text = identity.text_of(BackupServer.objects.get(own=True))
    assert isinstance(refused(enterprise, text), AnotherKind)


def test_who_may_not_ask_takes_nothing(people, enterprise, manager):
    assert isinstance(refused(people.operator, manager.announce()), NotEligible)


def test_p4_security_alone_decides(people, enterprise, manager):
    """P4: whose keysets protect what is written here is no administrator's decision."""
    request = requests.ask("take_keyset", by=enterprise, reason="As planned.", text=manager.announce())
    with pytest.raises(Exception, match="Security"):
        approve(people.administrator, request)


def test_a_keyset_taken_meanwhile_makes_the_request_stale(people, enterprise, decided, manager):
    request = requests.ask("take_keyset", by=enterprise, reason="As planned.", text=manager.announce())
    later = datetime.now(UTC) + timedelta(seconds=5)
    decided("take_keyset", text=manager.announce("Another", activated=later))
    approve(people.dpo, request)
    assert work(request).state == "stale"
    assert Keyset.objects.get(state="active").description == "Another"


def test_what_mail_does_to_the_text_does_not_matter(enterprise, manager):
    text = manager.announce()
    quoted = "Hello,\r\n> " + text.replace("\n", "\r\n> ") + "\r\nBye"
    assert taking.read(quoted) == taking.read(text)


def test_by_command(enterprise, keyset, capsys):
    call_command("keyset_announcement")
    told = capsys.readouterr().out
    assert in_groups(taking.read(told).fingerprint) in told


def test_where_none_is_in_force_the_command_says_so(enterprise):
    with pytest.raises(CommandError, match="in force"):
        call_command("keyset_announcement")


def test_over_the_api(people, enterprise, keyset, decided):
    """What carries a keyset out, and a text that is refused."""
    client = client_of(enterprise)
    answer = client.get(f"{API}/keysets/{keyset.pk}/text/")
    payload = from_base64(json.loads(armor.read(armor.Kind.KEYSET, answer.data["text"]))["payload"])
    assert b"veeamsec-keyset" in payload
    assert answer.data["fingerprint"] == taking.read(answer.data["text"]).fingerprint
    own = BackupServer.objects.get(own=True)
    server = client.get(f"{API}/backup-servers/{own.pk}/text/")
    assert server.data["fingerprint"] == own.fingerprint
    body = {"kind": "take_keyset", "reason": "As planned.", "text": Manager().announce()}
    answer = client.post(f"{API}/requests/", body, format="json")
    assert (answer.status_code, answer.data["code"]) == (409, "not_for_this")


def test_asked_over_the_api(enterprise, manager):
    text = manager.announce()
    body = {"kind": "take_keyset", "reason": "As planned.", "text": text}
    answer = client_of(enterprise).post(f"{API}/requests/", body, format="json")
    assert answer.status_code == 201
    assert answer.data["statement"]["change"]["fingerprint"] == taking.read(text).fingerprint


def test_compared_before_it_is_asked_in_pages(people, enterprise, manager):
    browser, text = as_user(enterprise), manager.announce("Of the head office")
    fingerprint = in_groups(taking.read(text).fingerprint)
    assert reverse("recovery_take") in text_of(browser.get(reverse("recovery")))
    page = text_of(browser.post(reverse("recovery_take"), {"text": text, "reason": "As planned."}))
    for said in (fingerprint, "x-wing", "Of the head office", f"{taking.read(text).told.expires:%-d %B %Y}"):
        assert said in page
    answer = browser.post(reverse("ask_take_keyset"), {"text": text, "reason": "As planned."})
    assert answer.status_code == 302
    seen = text_of(as_user(people.dpo).get(answer.url))
    assert fingerprint in seen
    assert "Take another installation" in seen


def test_a_refusal_stands_in_the_form(enterprise):
    answer = as_user(enterprise).post(reverse("recovery_take"), {"text": "hello", "reason": "As planned."})
    assert answer.status_code == 400
    assert "holds no keyset" in text_of(answer)


def test_the_announcement_shows_what_is_compared(enterprise, keyset):
    page = text_of(as_user(enterprise).get(reverse("recovery_announcement", args=[keyset.pk])))
    assert in_groups(keysets.fingerprint_of(keyset)) in page
