"""Ringing, and working as a worker does, without a broker."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import transaction

from audit import queue
from audit.models import Outbox
from audit.queue import Task

LEASE = timedelta(minutes=5)


def ring(task: Task = Task.BACKUP, **more) -> Outbox:
    """Ask for work as a use case does."""
    with transaction.atomic():
        return Outbox.objects.get(pk=queue.ring(task, uuid4(), **more))


def run(row: Outbox, work: Callable[[UUID], object], task: Task = Task.BACKUP) -> None:
    """What a worker does with the bell of a row."""
    queue._run(task, work, str(row.pk), LEASE)


def die(ref: UUID) -> None:
    """What a killed process leaves behind: nothing that it could still say."""
    raise SystemExit
