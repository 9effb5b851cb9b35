"""Raising, acknowledging and resolving alarms; each is told to the log."""

from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from audit.alarms import Kind
from audit.events import Event
from audit.models import Alarm
from audit.services.log import Subject, act, record, subject_of
from audit.statement import Actor


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
    found.state, found.resolved_at = Alarm.State.RESOLVED, timezone.now()
    found.save(update_fields=["state", "resolved_at"])
    record(Event.ALARM_CLOSED, subject=subject, facts={"kind": found.kind, "alarm": found.pk}, by=by)
    return True


def acknowledge_alarm(alarm_id: UUID, *, by: Actor) -> Alarm:
    """Note that a person has seen an alarm; it stays until its cause is gone. Or Alarm.DoesNotExist."""
    with act(by=by, subject=("audit.alarm", alarm_id)):
        alarm = Alarm.objects.select_for_update().get(pk=alarm_id)
        if alarm.state == Alarm.State.RAISED:
            alarm.state = Alarm.State.ACKNOWLEDGED
            alarm.acknowledged_by, alarm.acknowledged_at = by.pk, timezone.now()
            alarm.save(update_fields=["state", "acknowledged_by", "acknowledged_at"])
            record(Event.ALARM_ACKNOWLEDGED, facts={"kind": alarm.kind})
    return alarm


def _assert_open() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("an alarm belongs to the transaction of what it tells")
