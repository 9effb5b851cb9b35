"""The eight steps: a password is lost, the Enterprise Manager answers, the files are there again."""

import dataclasses
import json
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.errors import NotEligible
from approvals.errors import Invalid, OwnRequest
from approvals.services import decisions, requests
from audit.models import Entry
from encryption.crypto.encoding import canonical
from encryption.errors import BadRecoveryLine
from encryption.models import JobSession, KeysetGuard, RestorePoint
from encryption.services import backups, runs
from recovery import armor
from recovery.errors import AnotherKind, Damaged, ForAnother, NotGenuine, OutOfTime, Replayed, UnknownServer
from recovery.models import BackupServer, EnterpriseTask, Keyset, RecoveryCase
from recovery.services import answers, cases, keysets, obeying, servers
from tests.approvals.conftest import step_up
from tests.recovery.conftest import obeyed

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(people, encrypted) -> RecoveryCase:
    """A case whose request was made."""
    case = cases.ask([encrypted.pk], by=people.operator, reason="Nobody knows it any more.", number="INC-7")
    cases.make_request(case.pk)
    case.refresh_from_db()
    assert case.state == "asked", case.why
    return case


@pytest.fixture
def received(enterprise, asked) -> RecoveryCase:
    """The same case at the Enterprise side, from the text alone."""
    return answers.receive(cases.text_of(asked), by=enterprise, number="CASE-1")


@pytest.fixture
def answered(received, decided) -> RecoveryCase:
    """The case with its response."""
    decided("recover_key", case=received.pk)
    received.refresh_from_db()
    assert received.state == "answered", EnterpriseTask.objects.first().why
    return received


def opened(asked: RecoveryCase, answered: RecoveryCase, people) -> RecoveryCase:
    """The case with its keys opened."""
    cases.offer_response(asked.pk, answers.text_of(answered), by=people.operator)
    cases.open_response(asked.pk)
    asked.refresh_from_db()
    return asked


def test_files_are_restored_without_the_password(people, encrypted, asked, answered, vsec_home):
    assert opened(asked, answered, people).state == "opened"
    to = vsec_home.path / "restores" / "found"
    point = RestorePoint.objects.filter(job=encrypted).first()
    session = runs.start_restore(point.pk, to=str(to), case=asked.case, by=people.operator)
    backups.run_restore(session.pk)
    session.refresh_from_db()
    assert session.state == JobSession.State.SUCCEEDED, session.error
    assert (to / "a.txt").read_bytes() == (Path(encrypted.source) / "a.txt").read_bytes()


def test_every_new_point_is_wrapped_for_the_active_keyset(encrypted, keyset):
    folder = Path(encrypted.repository.location) / str(encrypted.pk)
    for point in RestorePoint.objects.filter(job=encrypted):
        line = json.loads((folder / f"{point.pk}.recovery").read_bytes())
        assert line["keyset"] == str(keyset.pk)


def test_p4_security_alone_answers(people, received, enterprise):
    """P4: an administrator may not decide on it."""
    request = requests.ask("recover_key", by=enterprise, reason="They ask for it.", case=received.pk)
    with pytest.raises(Exception, match="Security"):
        decisions.approve(
            request.pk,
            by=people.administrator,
            digest=request.digest,
            step_up=step_up(people.administrator, request, "approve"),
            interactive=True,
        )


def test_p1_who_asks_does_not_answer(people, received):
    """P1"""
    request = requests.ask("recover_key", by=people.dpo, reason="They ask for it.", case=received.pk)
    with pytest.raises(OwnRequest):
        decisions.approve(
            request.pk,
            by=people.dpo,
            digest=request.digest,
            step_up=step_up(people.dpo, request, "approve"),
            interactive=True,
        )


def test_who_is_no_enterprise_administrator_asks_for_nothing(people, received):
    with pytest.raises(NotEligible):
        requests.ask("recover_key", by=people.operator, reason="Please.", case=received.pk)


def test_nothing_is_opened_before_the_decision(received, enterprise):
    requests.ask("recover_key", by=enterprise, reason="They ask for it.", case=received.pk)
    obeyed()
    received.refresh_from_db()
    assert received.response is None


# --- refusals, by name ------------------------------------------------------------------------------------


def test_a_request_is_received_once(enterprise, asked, received):
    with pytest.raises(Replayed):
        answers.receive(cases.text_of(asked), by=enterprise, number="CASE-2")


def test_a_response_is_good_once(people, asked, answered):
    opened(asked, answered, people)
    with pytest.raises(Replayed):
        cases.offer_response(asked.pk, answers.text_of(answered), by=people.operator)


def test_a_response_to_another_request_is_refused(people, encrypted, asked, answered):
    other = cases.ask([encrypted.pk], by=people.operator, reason="Again.")
    cases.make_request(other.pk)
    with pytest.raises(ForAnother):
        cases.offer_response(other.pk, answers.text_of(answered), by=people.operator)


def test_a_response_is_no_request(enterprise, answered):
    with pytest.raises(AnotherKind):
        answers.receive(answers.text_of(answered), by=enterprise, number="X")


def test_a_changed_text_is_damaged(enterprise, asked):
    text = cases.text_of(asked)
    line = text.splitlines()[3]
    with pytest.raises(Damaged):
        answers.receive(text.replace(line, line[::-1]), by=enterprise, number="X")


def test_a_changed_request_with_a_right_checksum_is_not_genuine(enterprise, asked):
    envelope = json.loads(bytes(asked.request))
    envelope["payload"] = envelope["payload"][:-8] + "AAAAAAA="
    text = armor.write(armor.Kind.REQUEST, canonical(envelope))
    with pytest.raises(NotGenuine):
        answers.receive(text, by=enterprise, number="X")


def test_an_old_request_is_refused(enterprise, asked, monkeypatch):
    later = timezone.now() + timedelta(days=8)
    monkeypatch.setattr(timezone, "now", lambda: later)
    with pytest.raises(OutOfTime):
        answers.read(json.loads(bytes(asked.request)))


def test_a_revoked_server_is_refused(enterprise, asked):
    BackupServer.objects.update(state="revoked", revoked_at=timezone.now())
    with pytest.raises(UnknownServer, match="revoked"):
        answers.receive(cases.text_of(asked), by=enterprise, number="X")


def test_a_keyset_that_is_not_held_is_refused(enterprise, asked, keyset):
    Keyset.objects.filter(pk=keyset.pk).update(state="retired")
    Keyset.objects.filter(pk=keyset.pk).update(state="deleted")
    with pytest.raises(Exception, match="deleted"):
        answers.receive(cases.text_of(asked), by=enterprise, number="X")


def test_a_line_of_no_registered_server_is_refused(asked):
    request, _ = answers.read(json.loads(bytes(asked.request)))
    forged = dataclasses.replace(request.lines[0], restore_point=uuid4())
    with pytest.raises(BadRecoveryLine):
        answers.check_lines([forged])


def test_a_task_without_a_signed_order_is_refused_and_logged(received, keyset):
    """P5: a row alone moves nothing."""
    task = EnterpriseTask.objects.create(
        action="answer", order={"payload": ""}, request=uuid4(), given={"case": str(received.pk)}
    )
    obeying.obey(task.pk)
    task.refresh_from_db()
    received.refresh_from_db()
    assert (task.state, received.response) == ("refused", None)
    assert Entry.objects.filter(event="enterprise.refused").exists()


def test_an_order_for_another_request_text_is_refused(received, decided, enterprise, people):
    """P5: what is answered is what was approved."""
    request = requests.ask("recover_key", by=enterprise, reason="They ask.", case=received.pk)
    RecoveryCase.objects.filter(pk=received.pk).update(request_sha256="ab" * 32)
    from tests.approvals.conftest import approve, work

    approve(people.dpo, request)
    assert work(request).state == "stale"


# --- keysets ----------------------------------------------------------------------------------------------


def test_an_exported_keyset_comes_back_by_import(keyset, decided):
    decided("export_keyset", keyset=keyset.pk, passphrase="a passphrase long enough")
    text = EnterpriseTask.objects.get(action="export").result
    assert "KEYSET EXPORT" in text
    Keyset.objects.filter(pk=keyset.pk).update(state="retired")
    decided("delete_keyset", keyset=keyset.pk)
    assert Keyset.objects.get(pk=keyset.pk).state == "deleted"
    with pytest.raises(Exception, match="not held"):
        keysets.private.half_of(Keyset.objects.get(pk=keyset.pk))


def test_a_short_passphrase_is_refused(enterprise, keyset):
    with pytest.raises(Invalid, match="15"):
        requests.ask("export_keyset", by=enterprise, reason="x", keyset=keyset.pk, passphrase="short")


def test_an_active_keyset_is_not_deleted(enterprise, keyset):
    with pytest.raises(Invalid, match="active"):
        requests.ask("delete_keyset", by=enterprise, reason="x", keyset=keyset.pk)


def test_another_activation_retires_the_former(enterprise, decided, keyset):
    task = keysets.generate(by=enterprise, suite="x-wing", description="Spring")
    obeyed()
    decided("activate_keyset", keyset=task.pk)
    keyset.refresh_from_db()
    assert keyset.state == Keyset.State.RETIRED
    assert [guard.keyset for guard in KeysetGuard.objects.filter(until=None)] == [task.pk]


def test_a_server_counts_only_once_it_is_registered(enterprise, decided, tmp_path, settings):
    from encryption.crypto import providers
    from recovery.services import identity

    own = BackupServer.objects.get(own=True)
    settings.WORKER_KEYS, settings.PUBLIC_KEYS = tmp_path / "w", tmp_path / "p"
    providers.make_worker_keys(settings.WORKER_KEYS, settings.PUBLIC_KEYS)
    with pytest.raises(Replayed):
        servers.offer(identity.text_of(own), by=enterprise)


def test_the_passphrase_is_nowhere(keyset, decided):
    """P9: neither in rows nor in the log."""
    canary = "canary-passphrase-0451"
    decided("export_keyset", keyset=keyset.pk, passphrase=canary)
    task = EnterpriseTask.objects.get(action="export")
    assert task.sealed is None
    assert canary not in task.result
    assert not any(canary.encode() in bytes(entry.canonical) for entry in Entry.objects.all())
