"""The sweep: rings again for work whose bell was lost, whose lease ran out or whose time has come."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audit import queue
from audit.alarms import Kind
from audit.models import Alarm, Outbox
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from audit.services.log import act
from audit.statement import BEAT

# So many bells a sweep: a long outage must not flood the broker when it ends.
MOST = 500
# So many tries may fail before a person is asked to look.
TRIES = 5
KEEP_DONE = timedelta(days=30)


def sweep() -> int:
    """Ring for every row that waits, tell of failing ones, forget old ones; returns how many bells rang."""
    rows = _due()
    for row in rows:
        queue.bell(queue.Task(row.name), row.pk)
    _tell_failing()
    Outbox.objects.filter(done_at__lt=timezone.now() - KEEP_DONE).delete()
    return len(rows)


def _due() -> list[Outbox]:
    now = timezone.now()
    known = [task.value for task in queue.Task]
    with transaction.atomic():
        # The second: rung for by a clock that was set back since.
        late = Q(ring_at__lte=now) | Q(lease_until__gt=now + queue.LEASE)
        waiting = Outbox.objects.filter(late, done_at=None, name__in=known).order_by("ring_at")
        rows = list(waiting.select_for_update(skip_locked=True)[:MOST])
        for row in rows:
            # Each further bell waits twice as long, so a full queue is not filled with copies.
            row.ring_at = now + min(queue.PATIENCE * 2 ** min(row.rings, 10), queue.LONGEST)
            row.rings += 1
        for row in rows:
            row.save(update_fields=["ring_at", "rings"])
    return rows


def _tell_failing() -> None:
    open_alarms = Alarm.objects.filter(kind=Kind.TASK_FAILING).exclude(state=Alarm.State.RESOLVED)
    raised = {alarm.subject_type for alarm in open_alarms}
    failing = Outbox.objects.filter(Q(done_at=None), failures__gte=TRIES)
    names = set(failing.order_by().values_list("name", flat=True))
    if names == raised:
        return
    with act(by=BEAT, subject="outbox"):
        for name in names - raised:
            text = f"The task {name} failed {TRIES} times or more."
            raise_alarm_within(Kind.TASK_FAILING, name, Alarm.Severity.WARNING, text)
        for name in raised - names:
            resolve_alarm_within(Kind.TASK_FAILING, name)
