"""What a worker does for a session: backup, restore, verification; each can be begun anew after a kill.

A run takes its user key from the version that the keyring names, never from a "current" one. A backup that
is begun anew is a new attempt with new keys; what the dead one left under its name is cleared away first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from audit import queue
from audit import services as audit
from audit.alarms import Kind
from audit.errors import LeaseLost, Refused
from audit.events import Event
from audit.services.alarms import resolve_alarm_within
from encryption import rules, selectors
from encryption.engines.base import BackupResult, OnProgress, Source
from encryption.engines.registry import engine_for
from encryption.errors import EngineError, NoRestorePoint
from encryption.models import Engine, Job, JobSession, RekeyJob, RestorePoint
from encryption.services import endings, leases, messages, protection, vault
from encryption.services.runs import (
    restore_target,
    schedule_due,
    start_backup,
    start_restore,
    start_verify,
)
from encryption.services.veeam import runs as veeam_runs

__all__ = [
    "run_backup",
    "run_restore",
    "schedule_due",
    "start_backup",
    "start_restore",
    "start_verify",
]


@dataclass(frozen=True)
class Plan:
    """What a run will do, decided when it begins."""

    encrypted: bool
    base: UUID | None
    full_next: bool
    # The last executed change of the job's encryption: a full clears `full_next` only if none came after it.
    changed: UUID | None


def run_backup(session_id: UUID) -> None:
    """Run, or run again, the backup of a session. Raises Later while another worker holds it."""
    session = _take(session_id, queue.Task.BACKUP, JobSession.Kind.BACKUP)
    if session is None:
        return
    row, lease = session
    if row.job.repository.engine == Engine.VEEAM:
        _run_at_veeam(row, lease)
        return
    try:
        _clear_former(row)
        plan = _plan(row)
        with lease.kept():
            result = _write(row, plan, lease)
    except (EngineError, Refused, OSError) as error:
        endings.failed(row, lease, error, Event.BACKUP_FAILED)
        return
    try:
        _recorded(row, plan, result, lease)
    except LeaseLost:
        # Whoever took over writes its own file; this one has no row and never will.
        engine_for(row.job.repository).drop(row.job_id, [result.restore_point])
        raise


def _run_at_veeam(row: JobSession, lease: leases.Lease) -> None:
    try:
        warnings = veeam_runs.follow(row, lease)
    except (EngineError, OSError) as error:
        endings.failed(row, lease, error, Event.BACKUP_FAILED)
        return
    with audit.act(by=audit.WORKER, subject=row.job):
        lease.check_within()
        endings.end_within(row, list(warnings))
        audit.record(Event.BACKUP_FINISHED, facts={"session": row.pk, "warnings": len(warnings)})
        resolve_alarm_within(Kind.JOB_FAILED, row.job)


def run_restore(session_id: UUID) -> None:
    """Run the restore or verification of a session. Raises Later while another worker holds it."""
    kinds = JobSession.Kind.RESTORE, JobSession.Kind.VERIFY
    session = _take(session_id, queue.Task.RESTORE, *kinds)
    if session is None:
        return
    row, lease = session
    is_restore = row.kind == JobSession.Kind.RESTORE
    failed = Event.RESTORE_FAILED if is_restore else Event.VERIFY_FAILED
    try:
        with lease.kept():
            warnings = _restore(row, lease) if is_restore else _verify(row, lease)
    except (EngineError, Refused, OSError) as error:
        endings.failed(row, lease, error, failed)
        return
    with audit.act(by=audit.WORKER, subject=row.job):
        lease.check_within()
        endings.end_within(row, warnings)
        if not is_restore:
            RestorePoint.objects.filter(pk=_point(row).pk).update(verified_at=timezone.now())
        done = Event.RESTORE_FINISHED if is_restore else Event.VERIFY_FINISHED
        facts = {"session": row.pk, "restore_point": row.restore_point, "warnings": len(warnings)}
        audit.record(done, facts=facts)


def _take(session_id: UUID, task: queue.Task, *kinds: str) -> tuple[JobSession, leases.Lease] | None:
    if not JobSession.objects.filter(pk=session_id, kind__in=kinds).exists():
        messages.refuse(task, session_id, "no such session")
        return None
    lease = leases.take(JobSession, session_id)
    if lease is None:
        return None
    rows = JobSession.objects.select_related("job__repository", "job__password")
    lease.renew(started_at=timezone.now(), done_bytes=0, done_files=0, error="")
    return rows.get(pk=session_id), lease


def _clear_former(row: JobSession) -> None:
    """Remove the file that a killed attempt named but did not record; nothing can build on it."""
    former = row.restore_point
    # A recorded restore point is never cleared away, whatever a session's row says.
    if former is not None and not RestorePoint.objects.filter(pk=former).exists():
        engine_for(row.job.repository).drop(row.job_id, [former])
    row.restore_point = uuid4()
    JobSession.objects.filter(pk=row.pk).update(restore_point=row.restore_point)


def _plan(row: JobSession) -> Plan:
    job = row.job
    points = selectors.points_of(job)
    encrypted = job.password_id is not None
    due = rules.full_due(points, full_every=job.full_every, full_next=job.full_next, encrypted=encrypted)
    # An increment on a chain that is not whole would restore nothing.
    files = set(engine_for(job.repository).restore_points(job.pk))
    full = bool(row.wish.get("full")) or due or not files.issuperset(rules.newest_chain(points))
    newest = None if full else max(points, key=lambda point: point.created_at).id
    return Plan(encrypted, newest, job.full_next, _last_change(job))


def _last_change(job: Job) -> UUID | None:
    done = RekeyJob.objects.filter(job=job, state=RekeyJob.State.SUCCEEDED).order_by("-ended_at")
    return done.values_list("pk", flat=True).first()


def _write(row: JobSession, plan: Plan, lease: leases.Lease) -> BackupResult:
    job = row.job
    bounds: dict[str, Any] = {"roots": settings.VEEAMSEC_ROOTS, "home": settings.VEEAMSEC_HOME}
    source, repository = rules.place(job.source, **bounds), rules.place(job.repository.location, **bounds)
    rules.apart(source, repository)
    return engine_for(job.repository).backup(
        job.pk,
        Source(
            source,
            include=tuple(job.include),
            exclude=tuple(job.exclude),
            one_file_system=job.one_file_system,
        ),
        roots=vault.roots(job.pk) if plan.encrypted else None,
        base=plan.base,
        compress=job.compression,
        restore_point=row.restore_point,
        protection=protection.in_force() if plan.encrypted else None,
        progress=_told(lease),
    )


def _recorded(row: JobSession, plan: Plan, result: BackupResult, lease: leases.Lease) -> None:
    with audit.act(by=audit.WORKER, subject=row.job):
        job = Job.objects.select_for_update().get(pk=row.job_id)
        lease.check_within()
        # By the record, under the job's lock: a re-key that commits later takes this point along.
        version = selectors.current_version(job.pk) if result.storage_key else None
        RestorePoint.objects.create(
            id=result.restore_point,
            job=job,
            kind=result.kind,
            base_id=result.base,
            session=row,
            created_at=_after_all(job, result.created),
            size=result.size,
            source_bytes=result.source_bytes,
            entries=result.entries,
            storage_key=result.storage_key,
            password_version=version,
        )
        if plan.full_next and result.base is None and plan.changed == _last_change(job):
            job.full_next = False
            job.save(update_fields=["full_next"])
        JobSession.objects.filter(pk=row.pk).update(done_bytes=result.source_bytes, done_files=result.entries)
        endings.end_within(row, list(result.warnings))
        facts = {
            "session": row.pk,
            "restore_point": result.restore_point,
            "kind": result.kind,
            "size": result.size,
            "encrypted": result.storage_key is not None,
            "warnings": len(result.warnings),
        }
        audit.record(Event.BACKUP_FINISHED, facts=facts)
        for kind in (Kind.JOB_FAILED, Kind.DISK_FULL):
            resolve_alarm_within(kind, job)
        queue.ring(queue.Task.RETENTION, job.pk)


def _after_all(job: Job, created: datetime) -> datetime:
    # The order of restore points is the order of their rows, whatever a clock that is set back says.
    newest = RestorePoint.objects.filter(job=job).aggregate(newest=Max("created_at"))["newest"]
    return created if newest is None or newest < created else newest + timedelta(microseconds=1)


def _restore(row: JobSession, lease: leases.Lease) -> list[str]:
    target = restore_target(row.wish["to"])
    point = _point(row)
    result = engine_for(row.job.repository).restore(
        row.job_id,
        point.pk,
        target,
        roots=protection.opens_of(row, point),
        paths=row.wish.get("paths"),
        progress=_told(lease),
    )
    lease.renew(done_bytes=result.done_bytes, done_files=result.done_files)
    return list(result.warnings)


def _verify(row: JobSession, lease: leases.Lease) -> list[str]:
    point = _point(row)
    engine = engine_for(row.job.repository)
    engine.verify(row.job_id, point.pk, roots=protection.opens_of(row, point), progress=_told(lease))
    return []


def _point(row: JobSession) -> RestorePoint:
    found = RestorePoint.objects.filter(pk=row.restore_point or row.pk, job=row.job, dropped_at=None).first()
    if found is None:
        raise NoRestorePoint("The restore point was retired meanwhile.")
    return found


def _told(lease: leases.Lease) -> OnProgress:
    return lambda progress: lease.tell(done_bytes=progress.done_bytes, done_files=progress.done_files)
