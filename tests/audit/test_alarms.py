"""Alarms: one open one of a kind and subject, told to the log, ended when the cause is gone."""

from uuid import uuid4

import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError

from audit import selectors
from audit import services as audit
from audit.alarms import Kind
from audit.models import Alarm, Entry, Outbox
from audit.queue import Task

pytestmark = pytest.mark.django_db
JOB = ("encryption.job", uuid4())


def raise_alarm(kind: str = "drift", severity: str = "warning") -> Alarm:
    with audit.act(by=audit.WORKER, subject=JOB):
        return audit.raise_alarm_within(kind, JOB, severity, "The keyring is another one.")


def resolve() -> bool:
    with audit.act(by=audit.WORKER, subject=JOB):
        return audit.resolve_alarm_within(Kind.DRIFT, JOB)


def acknowledge(pk, *, by, note: str = "") -> Alarm:
    with audit.act(by=by, subject=("audit.alarm", pk)):
        alarm = Alarm.objects.get(pk=pk)
        audit.acknowledge_alarm_within(alarm, by=by, note=note)
    return alarm


def test_alarm_is_raised_and_told():
    alarm = raise_alarm()
    entry = Entry.objects.get()
    assert (entry.event, entry.facts["alarm"], entry.subject_id) == (
        "alarm.raised",
        str(alarm.pk),
        str(JOB[1]),
    )


def test_second_alarm_of_a_kind_and_subject_is_the_first():
    assert raise_alarm() == raise_alarm()
    assert Entry.objects.count() == 1


def test_resolved_alarm_may_come_again():
    first = raise_alarm()
    assert resolve()
    assert raise_alarm() != first


def test_resolving_without_an_alarm_says_so():
    assert not resolve()
    assert not Entry.objects.exists()


def test_acknowledged_alarm_stays_open():
    alarm = acknowledge(raise_alarm().pk, by=audit.CONSOLE)
    assert alarm.state == Alarm.State.ACKNOWLEDGED
    assert list(selectors.open_alarms()) == [alarm]


def test_acknowledged_twice_is_told_once():
    alarm = raise_alarm()
    acknowledge(alarm.pk, by=audit.CONSOLE)
    acknowledge(alarm.pk, by=audit.CONSOLE)
    assert [entry.event for entry in selectors.entries()] == ["alarm.acknowledged", "alarm.raised"]


def test_a_note_stands_in_the_alarm_and_the_log_commits_to_it():
    alarm = acknowledge(raise_alarm().pk, by=audit.CONSOLE, note="It was me.")
    entry = selectors.entries(event="alarm.acknowledged").get()
    assert (alarm.note, audit.name_of(entry, "note")) == ("It was me.", "It was me.")
    assert "It was me." not in bytes(entry.canonical).decode()


def test_what_ends_by_itself_is_ended_by_nobody():
    alarm = raise_alarm()
    with pytest.raises(ValueError), audit.act(by=audit.CONSOLE, subject=JOB):
        audit.end_incident_within(alarm)


def test_raised_and_ended_are_told_by_mail_a_moment_later():
    alarm = raise_alarm()
    resolve()
    rows = Outbox.objects.filter(name=Task.TELL_ALARM, ref=alarm.pk)
    assert [row.due > row.created_at for row in rows] == [True, True]


@pytest.mark.parametrize(("kind", "severity"), [("strange", "warning"), ("drift", "strange")])
def test_unknown_kind_or_severity_is_a_programming_error(kind, severity):
    with pytest.raises(ValueError):
        raise_alarm(kind, severity)


@pytest.mark.django_db(transaction=True)
def test_alarm_outside_a_transaction_is_a_programming_error():
    with pytest.raises(TransactionManagementError):
        audit.raise_alarm_within("drift", JOB, "warning", "x")


@pytest.mark.django_db(transaction=True)
def test_alarm_goes_with_the_transaction_that_raised_it():
    with transaction.atomic():
        audit.raise_alarm_within("drift", JOB, "warning", "x", by=audit.WORKER)
        transaction.set_rollback(True)
    assert (Alarm.objects.count(), Entry.objects.count()) == (0, 0)
