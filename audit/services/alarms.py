"""Raising, acknowledging and resolving alarms; each is told to the log, and to those concerned."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit import queue
from audit.alarms import Kind
from audit.events import Event
from audit.models import Alarm, Entry
from audit.services.log import Subject, record, subject_of
from audit.statement import Actor

# What is raised together is told together.
GATHER = timedelta(seconds=20)
# What the log tells of an alarm, and the state that each entry brings.
TOLD = {
    Event.ALARM_RAISED: Alarm.State.RAISED,
    Event.ALARM_ACKNOWLEDGED: Alarm.State.ACKNOWLEDGED,
    Event.ALARM_CLOSED: Alarm.State.RESOLVED,
}


def raise_alarm_within(
    kind: Kind | str,
    subject: Subject,
    severity: Alarm.Severity | str,
    text: str,
    *,
    by: Actor | None = None,
) -> Alarm:
    """Raise an alarm in the caller's transaction, or return the open one of this kind and subject.

    `text` says in plain words what is wrong, without secrets. ValueError for an unknown kind or severity.
    """
    _assert_open()
    thing, ref = subject_of(subject)
    alarm, made = Alarm.objects.get_or_create(
        kind=Kind(kind),
        subject_type=thing,
        subject_id=ref,
        state__in=[Alarm.State.RAISED, Alarm.State.ACKNOWLEDGED],
        defaults={"severity": Alarm.Severity(severity), "text": text, "state": Alarm.State.RAISED},
    )
    if made:
        facts = {"kind": alarm.kind, "severity": alarm.severity, "alarm": alarm.pk}
        record(Event.ALARM_RAISED, subject=subject, facts=facts, by=by)
        _tell_within(alarm)
    return alarm


def resolve_alarm_within(kind: Kind | str, subject: Subject, *, by: Actor | None = None) -> bool:
    """End the open alarm of a kind and subject in the caller's transaction; say whether there was one."""
    _assert_open()
    thing, ref = subject_of(subject)
    found = (
        Alarm.objects.select_for_update()
        .filter(kind=Kind(kind), subject_type=thing, subject_id=ref)
        .exclude(state=Alarm.State.RESOLVED)
        .first()
    )
    if found is None:
        return False
    _end_within(found, subject, by)
    return True


def end_incident_within(alarm: Alarm, *, by: Actor | None = None) -> None:
    """End a locked alarm of something that is over; ValueError for one that ends by itself."""
    _assert_open()
    if not Kind(alarm.kind).incident:
        raise ValueError(f"{alarm.kind} ends when its cause is gone")
    _end_within(alarm, (alarm.subject_type, alarm.subject_id) if alarm.subject_id else alarm.subject_type, by)


def acknowledge_alarm_within(alarm: Alarm, *, by: Actor, note: str = "") -> None:
    """Note that a person looks at a locked alarm, and what they say of it; it stays until its cause is gone.

    Who said it first stays named; a later note takes the former one's place, and the log keeps both.
    """
    _assert_open()
    if alarm.state == Alarm.State.RESOLVED or (alarm.state == Alarm.State.ACKNOWLEDGED and not note):
        return
    if alarm.state == Alarm.State.RAISED:
        alarm.state = Alarm.State.ACKNOWLEDGED
        alarm.acknowledged_by, alarm.acknowledged_at = by.pk, timezone.now()
    alarm.note = note or alarm.note
    alarm.save(update_fields=["state", "acknowledged_by", "acknowledged_at", "note"])
    names = {"note": note} if note else {}
    record(Event.ALARM_ACKNOWLEDGED, facts={"kind": alarm.kind, "alarm": alarm.pk}, names=names, by=by)


def in_words(entries: Iterable[Entry], *, with_names: bool) -> dict[int, dict[str, str]]:
    """Return what those entries that tell of an alarm say, by their numbers, for a person elsewhere.

    The alarm's own text names accounts and things, so it is left out unless names are asked for.
    """
    told = [entry for entry in entries if entry.event in set(TOLD)]
    rows = Alarm.objects.in_bulk([entry.facts["alarm"] for entry in told])
    found = {entry.sequence: (entry, rows.get(UUID(entry.facts["alarm"]))) for entry in told}
    return {
        number: _in_words(Event(entry.event), row, with_names=with_names)
        for number, (entry, row) in found.items()
        if row is not None
    }


def _in_words(event: Event, alarm: Alarm, *, with_names: bool) -> dict[str, str]:
    kind = Kind(alarm.kind)
    told = {
        "id": str(alarm.pk),
        "state": TOLD[event].value,
        "kind": alarm.kind,
        "severity": alarm.severity,
        "heading": kind.heading,
        "todo": kind.todo,
        "url": f"{settings.VEEAMSEC_ORIGIN}/alarms/",
    }
    return told | ({"text": alarm.text} if with_names else {})


def _end_within(alarm: Alarm, subject: Subject, by: Actor | None) -> None:
    alarm.state, alarm.resolved_at = Alarm.State.RESOLVED, timezone.now()
    alarm.save(update_fields=["state", "resolved_at"])
    record(Event.ALARM_CLOSED, subject=subject, facts={"kind": alarm.kind, "alarm": alarm.pk}, by=by)
    _tell_within(alarm)


def _tell_within(alarm: Alarm) -> None:
    # A moment later, so that many at once are one mail.
    queue.ring(queue.Task.TELL_ALARM, alarm.pk, due=timezone.now() + GATHER)


def _assert_open() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("an alarm belongs to the transaction of what it tells")
