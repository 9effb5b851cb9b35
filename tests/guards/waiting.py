"""What waits in the outbox while a guard is away, rung for as the sweep does."""

import celery
from django.utils import timezone

from audit.models import Outbox
from audit.queue import Task
from encryption.models import JobSession


def deliver(*tasks: Task) -> list[Outbox]:
    """Ring for what waits, as the sweep does once its time has come; return the rows, newest last."""
    Outbox.objects.filter(done_at=None, name__in=tasks).update(due=timezone.now(), lease_until=None)
    JobSession.objects.filter(state="running").update(lease_until=None)
    rows = list(Outbox.objects.filter(done_at=None, name__in=tasks).order_by("created_at"))
    for row in rows:
        celery.signature(row.name, args=[str(row.pk)]).apply()
        row.refresh_from_db()
    return rows
