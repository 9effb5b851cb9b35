"""The sweep, and a worker that takes what it rings for: what goes on by itself after a fault."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import celery
import time_machine
from django.utils import timezone

from audit import queue
from audit.models import Outbox
from audit.services import outbox

# Longer than the lease of a run or a re-key, and than the patience with a first bell; shorter than the slack
# of the clocks that a badge allows.
LONG_ENOUGH = timedelta(seconds=90)


def deliver(row: Outbox) -> None:
    """Give one message to the task that is registered under its name, as a worker does."""
    celery.current_app.tasks[row.name](str(row.pk))


def waiting(*tasks: queue.Task) -> list[Outbox]:
    """Return the work of these tasks that is not done, oldest first."""
    return list(Outbox.objects.filter(name__in=tasks, done_at=None).order_by("created_at"))


def sweep(*tasks: queue.Task) -> int:
    """Sweep once and deliver every bell of these tasks; returns how many there were."""
    rung: list[tuple[queue.Task, object]] = []
    with _heard(rung):
        outbox.sweep()
    rows = [row for row in waiting(*tasks) if row.pk in {pk for _, pk in rung}]
    for row in rows:
        deliver(row)
    return len(rows)


def recover(*tasks: queue.Task, most: int = 20) -> None:
    """Let time pass and the sweep work until nothing of these tasks waits; nobody helps."""
    for number in range(1, most + 1):
        if not waiting(*tasks):
            return
        with time_machine.travel(timezone.now() + number * LONG_ENOUGH):
            sweep(*tasks)
    assert not waiting(*tasks), "the sweep did not bring the work to its end"


@contextmanager
def _heard(rung: list[tuple[queue.Task, object]]) -> Iterator[None]:
    real = queue.bell
    queue.bell = lambda task, row=None: rung.append((task, row))  # type: ignore[assignment]
    try:
        yield
    finally:
        queue.bell = real
