"""Sending entries on: in order, at least once, from the last one that counts as received.

Who opens secrets stands above the log, so the task that calls `forward` hands in what opens them. One run is
one claim of the outbox row that each working forwarder has; it comes back by `Later`.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from audit import queue
from audit.alarms import Kind
from audit.errors import NotReceived
from audit.events import Event
from audit.forwarders import forms
from audit.models import Alarm, Entry, Forwarder, Outbox
from audit.services import alarms
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from audit.services.log import act
from audit.services.ways import open_way
from audit.statement import BEAT

BATCH = 500
# A person reads these: a storm of alarms is few messages.
BATCH_OF_TEXT = 10
# One run ends after this long, so that a worker's slot is free for others; the rest comes at once.
AT_A_TIME = 60.0
IDLE = timedelta(seconds=2)
FIRST_BACK_OFF, LONGEST_BACK_OFF = timedelta(seconds=2), timedelta(minutes=5)
# An entry that waits longer than this is worth an alarm: a collector restarts in less.
BEHIND = timedelta(minutes=15)


class Way(Protocol):
    """What sends a batch and returns once it counts as received."""

    def send(self, messages: list[Any]) -> None:
        """Send; raises NotReceived."""


Secrets = Callable[[Forwarder], bytes]
Opened = AbstractContextManager[Way]


def forward(
    forwarder_id: UUID, *, secret_of: Secrets, opened: Callable[[Forwarder, Secrets], Opened] = open_way
) -> timedelta | None:
    """Send what waits; return after how long to come again, None for a forwarder that is stopped or gone."""
    forwarder = Forwarder.objects.filter(pk=forwarder_id, active=True).first()
    if forwarder is None:
        return None
    try:
        with opened(forwarder, secret_of) as way:
            more = _send_waiting(forwarder, way)
    except NotReceived as error:
        return _note_failure(forwarder, str(error))
    return timedelta(0) if more else IDLE


def watch() -> int:
    """Ring for every working forwarder that nobody rings for, tell of those behind; returns how many rang."""
    rung = 0
    with transaction.atomic():
        held = Outbox.objects.filter(name=queue.Task.FORWARD, done_at=None).values("ref")
        for pk in Forwarder.objects.filter(active=True).exclude(pk__in=held).values_list("pk", flat=True):
            queue.ring(queue.Task.FORWARD, pk)
            rung += 1
    _tell_behind()
    return rung


def rung_beside(forwarder_id: UUID) -> bool:
    """Say whether another row than the one being worked on rings for a forwarder."""
    rows = Outbox.objects.filter(name=queue.Task.FORWARD, ref=forwarder_id, done_at=None)
    return rows.exclude(pk=queue.current().id).exists()


def head() -> int:
    """Return the number of the newest entry; -1 for an empty log."""
    newest = Entry.objects.aggregate(newest=Max("sequence"))["newest"]
    return -1 if newest is None else int(newest)


def _send_waiting(forwarder: Forwarder, way: Way) -> bool:
    ends = time.monotonic() + AT_A_TIME
    while time.monotonic() < ends:
        batch, last = _batch(forwarder)
        if batch:
            way.send([_as_sent(forwarder, message) for message in batch])
        if last > forwarder.position and not _confirm(forwarder, last, received=bool(batch)):
            return True
        if not batch:
            return False
        queue.renew()
    return True


def _batch(forwarder: Forwarder) -> tuple[list[forms.Message], int]:
    """Return what is sent next, and the number up to which nothing is left to send then."""
    # Entries are committed in the order of their numbers: what is seen has no gap (`EntryManager.append`).
    newest = head()
    rows = Entry.objects.filter(sequence__gt=forwarder.position, sequence__lte=newest).order_by("sequence")
    if forwarder.only_alarms:
        tested = Q(event=Event.FORWARDER_TESTED, subject_id=str(forwarder.pk))
        rows = rows.filter(Q(event__in=alarms.TOLD) | tested)
    if forwarder.with_names:
        rows = rows.prefetch_related("names")
    size = BATCH_OF_TEXT if forwarder.form == Forwarder.Form.TEXT else BATCH
    found = list(rows[:size])
    about = alarms.in_words(found, with_names=forwarder.with_names)
    messages = [_message(row, about.get(row.sequence), with_names=forwarder.with_names) for row in found]
    return messages, found[-1].sequence if len(found) == size else newest


def _message(entry: Entry, alarm: Mapping[str, str] | None, *, with_names: bool) -> forms.Message:
    event = Event(entry.event) if entry.event in set(Event) else None
    return forms.Message(
        entry=entry.sequence,
        time=entry.time,
        event=entry.event,
        number=event.number if event else 0,
        severity=severity(event),
        veeam=event.veeam if event else None,
        actor=str(entry.actor or ""),
        subject_type=entry.subject_type,
        subject_id=entry.subject_id,
        facts=entry.facts,
        names={row.key: row.name for row in entry.names.all() if row.name} if with_names else {},
        leaf=bytes(entry.leaf_hash).hex(),
        alarm=alarm,
    )


def severity(event: Event | None) -> str:
    """Return how grave an event is, in the words of the forms; a warning for one of a later version."""
    return event.severity.value if event else "warning"


def _as_sent(forwarder: Forwarder, message: forms.Message) -> Any:
    if forwarder.form == Forwarder.Form.JSON:
        return forms.as_json(message)
    if forwarder.form == Forwarder.Form.TEXT:
        return forms.as_text(message)
    write = forms.cef if forwarder.form == Forwarder.Form.CEF else forms.syslog
    datagram = forwarder.way == Forwarder.Way.UDP
    largest = forms.LARGEST_DATAGRAM if datagram else forms.LARGEST
    return write(message, host=settings.VEEAMSEC_ORIGIN.partition("//")[2].partition(":")[0], largest=largest)


def _confirm(forwarder: Forwarder, last: int, *, received: bool) -> bool:
    """Move the position, also past what is not for this one.

    False when the forwarder was changed, stopped or taken over meanwhile.
    """
    rows = Forwarder.objects.filter(
        pk=forwarder.pk, position=forwarder.position, changed_at=forwarder.changed_at, active=True
    )
    told = {"confirmed_at": timezone.now(), "failures": 0, "last_error": ""} if received else {}
    moved = rows.update(position=last, **told)
    forwarder.position = last
    return bool(moved)


def _note_failure(forwarder: Forwarder, error: str) -> timedelta:
    Forwarder.objects.filter(pk=forwarder.pk).update(failures=F("failures") + 1, last_error=error[:200])
    forwarder.refresh_from_db(fields=["failures"])
    doublings = max(0, min(forwarder.failures - 1, 10))
    return min(FIRST_BACK_OFF * (1 << doublings), LONGEST_BACK_OFF)


def _tell_behind() -> None:
    late = set(_behind())
    subject = Forwarder._meta.label_lower
    raised = Alarm.objects.filter(kind=Kind.FORWARDER_BEHIND).exclude(state=Alarm.State.RESOLVED)
    told = {UUID(alarm.subject_id) for alarm in raised}
    if late == told:
        return
    with act(by=BEAT, subject="forwarders"):
        for row in Forwarder.objects.filter(pk__in=late - told):
            minutes = int(BEHIND.total_seconds() // 60)
            text = f"Entries for the forwarder {row.name} wait for more than {minutes} minutes."
            raise_alarm_within(Kind.FORWARDER_BEHIND, row, Alarm.Severity.CRITICAL, text)
        for pk in told - late:
            resolve_alarm_within(Kind.FORWARDER_BEHIND, (subject, pk))


def _behind() -> list[UUID]:
    """Return the working forwarders whose oldest waiting entry has waited too long, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.id FROM audit_forwarder f JOIN audit_entry e ON e.sequence = f.position + 1"
            " WHERE f.active AND e.time < %s",
            [timezone.now() - BEHIND],
        )
        return [row[0] for row in cursor.fetchall()]
