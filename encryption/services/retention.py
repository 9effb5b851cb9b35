"""What may go goes: first on record, then on disk, so that a kill between the two leaves nothing unexplained.

Nothing goes before the newest full has been verified: a chain that cannot be restored takes no older one's
place.
"""

import time
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from audit import keys, queue
from audit import services as audit
from audit.alarms import Kind
from audit.errors import Forged, Later
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within
from encryption import order as orders
from encryption import rules, selectors
from encryption.engines.base import Progress
from encryption.engines.registry import engine_for
from encryption.errors import EngineError, RestorePointBusy
from encryption.models import Job, Rekey, RekeyJob, RestorePoint
from encryption.services import messages, vault

_BUSY_WAIT = timedelta(minutes=10)
_RENEW_SECONDS = 20.0


def retire(job_id: UUID) -> list[UUID]:
    """Drop the restore points that a job need not keep, and the files of those dropped before.

    Raises Later when a restore still reads one of them, or the database is older than what was signed.
    """
    audit.wait_while_older()
    job = Job.objects.select_related("repository").filter(pk=job_id).first()
    if job is None:
        messages.refuse(queue.Task.RETENTION, job_id, "no such job")
        return []
    if _choose(job) and not _newest_full_holds(job):
        return []
    gone: list[UUID] = []
    with audit.act(by=audit.WORKER, subject=job):
        gone = _choose(Job.objects.select_for_update().get(pk=job_id))
        if gone:
            RestorePoint.objects.filter(pk__in=gone).update(dropped_at=timezone.now())
            facts = {"count": len(gone), "restore_points": gone[:100]}
            audit.record(Event.RETENTION_DROPPED, facts=facts)
    _remove_dropped(job)
    return gone


def _choose(job: Job) -> list[UUID]:
    live = RestorePoint.objects.filter(job=job, dropped_at=None)
    if live.filter(kind=RestorePoint.Kind.POINT).exists():
        # Adopted, and not opened yet: what builds on what is not known.
        return []
    points = selectors.points_of(job)
    gone = rules.to_retire(
        points, keep_points=job.retention_points, keep_days=job.retention_days, now=timezone.now()
    )
    if _encrypted_go(job):
        gone += [point for point in rules.to_drop_encrypted(points) if point not in gone]
    return gone


def _encrypted_go(job: Job) -> bool:
    """Whether the last executed change is a deactivation whose signed order says: delete."""
    done = RekeyJob.objects.filter(job=job, state=RekeyJob.State.SUCCEEDED).select_related("rekey")
    last = done.order_by("-ended_at").first()
    if last is None or last.rekey.action != Rekey.Action.DEACTIVATE:
        return False
    try:
        order = orders.open_order(last.rekey.order, keys.signing_public())
    except Forged:
        return False
    return order.rekey == last.rekey_id and order.action == "deactivate" and order.then == "delete"


def _newest_full_holds(job: Job) -> bool:
    """Whether the newest full is verified, or can be now; a failure raises an alarm and keeps everything."""
    fulls = RestorePoint.objects.filter(job=job, dropped_at=None, kind=RestorePoint.Kind.FULL)
    newest = fulls.order_by("-created_at").first()
    if newest is None or newest.verified_at is not None:
        return newest is not None
    error = _verify(job, newest)
    with audit.act(by=audit.WORKER, subject=newest):
        if error:
            audit.record(Event.VERIFY_FAILED, facts={"error": error})
            text = f"The newest full backup cannot be verified, so no older one was deleted: {error}"
            raise_alarm_within(Kind.JOB_FAILED, job, Alarm.Severity.CRITICAL, text)
        else:
            RestorePoint.objects.filter(pk=newest.pk).update(verified_at=timezone.now())
            audit.record(Event.VERIFY_FINISHED)
    return not error


def _verify(job: Job, point: RestorePoint) -> str:
    told = time.monotonic()

    def renew(_progress: Progress) -> None:
        nonlocal told
        if time.monotonic() - told > _RENEW_SECONDS:
            queue.renew()
            told = time.monotonic()

    roots = vault.roots(job.pk) if point.storage_key else None
    try:
        engine_for(job.repository).verify(job.pk, point.pk, roots=roots, progress=renew)
    except (EngineError, OSError) as error:
        return getattr(error, "message", "") or getattr(error, "strerror", "") or "it cannot be read"
    return ""


def _remove_dropped(job: Job) -> None:
    """Delete files whose rows say dropped: also those that a kill or a reader left behind."""
    engine, busy = engine_for(job.repository), False
    files = set(engine.restore_points(job.pk))
    dropped = RestorePoint.objects.filter(job=job, dropped_at__isnull=False, pk__in=files)
    # Increments before what they build on.
    for point in dropped.order_by("-created_at").values_list("pk", flat=True):
        try:
            engine.drop(job.pk, [point])
        except RestorePointBusy:
            busy = True
    if busy:
        raise Later(_BUSY_WAIT)
