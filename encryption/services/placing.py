"""Adopted restore points find their places in their chains, once something opens them."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from audit import queue
from audit import services as audit
from audit.events import Event
from encryption import selectors
from encryption.engines.base import Found, Unread
from encryption.engines.registry import engine_for
from encryption.errors import EngineError
from encryption.models import AdoptedJob, Job, RestorePoint
from encryption.services import vault

# An entry of the log names so many; the count says the rest.
_NAMED = 20

# A base that is not on record leaves its increment where it is: no chain is made of what is not there.
_PLACE = """
    UPDATE encryption_restorepoint point SET kind = told.kind, base_id = told.base
    FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::timestamptz[]) AS told (id, kind, base, created)
    WHERE point.id = told.id AND point.job_id = %s AND point.kind = 'point'
      AND point.created_at = told.created
      AND (told.base IS NULL OR EXISTS (
          SELECT FROM encryption_restorepoint base
          WHERE base.id = told.base AND base.job_id = point.job_id AND base.dropped_at IS NULL))
"""


def settle(job_id: UUID) -> None:
    """Open what a job's adopted points say of themselves and place them; as the worker, also after a kill.

    Plain ones always; encrypted ones where the password that their keyring is under is held.
    """
    adopted = AdoptedJob.objects.select_related("job__repository").filter(pk=job_id).first()
    if adopted is None:
        return
    audit.wait_while_older()
    version = selectors.current_version(job_id)
    roots = None if version is None or version.is_unproven else vault.roots(job_id)
    try:
        for batch in engine_for(adopted.job.repository).read_points(job_id, roots):
            queue.renew()
            _place(adopted.job, batch)
    except EngineError:
        # Its keyring is not what it was: the next observation says so, aloud.
        return


def settle_within(job: Job) -> None:
    """Ring for what of a job waits for its place, in the caller's transaction."""
    waiting = RestorePoint.objects.filter(job=job, kind=RestorePoint.Kind.POINT, dropped_at=None)
    if AdoptedJob.objects.filter(pk=job.pk).exists() and waiting.exists():
        queue.ring(queue.Task.SETTLE_ADOPTED, job.pk)


def _place(job: Job, batch: Sequence[Found | Unread]) -> None:
    told = [part for part in batch if isinstance(part, Found) and part.kind]
    unread = [part.what for part in batch if isinstance(part, Unread)]
    values = (
        [part.restore_point for part in told],
        [part.kind for part in told],
        [part.base for part in told],
        [part.created for part in told],
    )
    with audit.act(by=audit.WORKER, subject=job):
        Job.objects.select_for_update().get(pk=job.pk)
        with connection.cursor() as cursor:
            cursor.execute(_PLACE, (*values, job.pk))
            placed = cursor.rowcount
        if placed:
            facts = {"count": placed, "unread": len(unread), "named": unread[:_NAMED]}
            audit.record(Event.POINTS_OPENED, facts=facts)
