"""The sweep: bells that were lost, leases that ran out, times that have come, and work that keeps failing."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from audit import queue
from audit import services as audit
from audit.alarms import Kind
from audit.models import Alarm, Outbox
from audit.queue import Task

from .outbox import LEASE, die, ring, run

pytestmark = pytest.mark.django_db


def test_sweep_rings_for_a_bell_that_was_lost(bells, clock):
    row = ring()
    clock.shift(queue.PATIENCE)
    assert audit.sweep() == 1
    assert bells == [(Task.BACKUP, row.pk)]


def test_sweep_has_patience_with_the_first_bell(bells, clock):
    ring()
    assert audit.sweep() == 0


def test_sweep_rings_less_and_less_often(bells, clock):
    ring()
    rung_at = []
    for second in range(0, 1000, 10):
        if audit.sweep():
            rung_at.append(second)
        clock.shift(10)
    assert rung_at == [30, 60, 120, 240, 480, 960]


def test_sweep_rings_when_the_time_has_come(bells, clock):
    ring(due=timezone.now() + timedelta(hours=1))
    clock.shift(timedelta(minutes=59))
    assert audit.sweep() == 0
    clock.shift(timedelta(minutes=1))
    assert audit.sweep() == 1


def test_sweep_rings_after_a_crash_once_the_lease_is_over(bells, clock):
    row = ring()
    with pytest.raises(SystemExit):
        run(row, die)
    assert audit.sweep() == 0
    clock.shift(LEASE)
    assert audit.sweep() == 1


def test_sweep_passes_over_names_that_are_no_task(bells, clock):
    now = timezone.now()
    Outbox.objects.create(name="os.system", ref=uuid4(), due=now, ring_at=now)
    assert audit.sweep() == 0


@pytest.mark.alarm("task.failing")
def test_sweep_tells_of_a_task_that_keeps_failing_and_of_its_end(bells, clock):
    row = ring()
    Outbox.objects.update(failures=5, attempts=5)
    audit.sweep()
    audit.sweep()
    assert Alarm.objects.get(kind=Kind.TASK_FAILING).state == Alarm.State.RAISED
    run(row, lambda ref: None)
    audit.sweep()
    assert Alarm.objects.get(kind=Kind.TASK_FAILING).state == Alarm.State.RESOLVED


def test_sweep_forgets_done_work_after_a_month(bells, clock):
    run(ring(), lambda ref: None)
    clock.shift(timedelta(days=31))
    audit.sweep()
    assert not Outbox.objects.exists()
