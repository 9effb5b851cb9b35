"""What is so, beside what should be so: keyring and restore points as found, compared with the record.

A change that no executed step explains opens a drift with an alarm, and the sign goes; when it is undone,
the drift closes by itself.
"""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from audit import services as audit
from audit.alarms import Kind
from audit.errors import Later
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from encryption import selectors
from encryption.engines.base import Observation
from encryption.engines.registry import engine_for
from encryption.errors import EngineError
from encryption.models import Drift, Engine, Job, JobSession, RekeyJob, Repository, RestorePoint, VeeamJob
from encryption.services import vault
from encryption.services.veeam import observing

What = Drift.What

# A log entry and a page name so many restore points; the count says the rest.
_NAMED = 20
_AWAY = timedelta(seconds=30)


@dataclass
class Sight:
    """What was found of one job; without a fingerprint it could not be read."""

    began: datetime
    ended: tuple[int, ...]
    fingerprint: str | None = None
    away: str = ""
    free: int | None = None
    drifts: dict[str, dict[str, Any]] = field(default_factory=dict)


def observe_all() -> None:
    """Observe every native job that exists; one that cannot be read does not keep the others waiting.

    A Veeam server is observed as a whole, by a task of its own.
    """
    jobs = Job.objects.exclude(state=Job.State.DELETED).filter(repository__engine=Engine.NATIVE)
    for job_id in list(jobs.order_by("pk").values_list("pk", flat=True)):
        observe(job_id)


def observe_named(job_ids: Iterable[UUID]) -> None:
    """Observe these jobs, each as its engine does. Raises Later while a Veeam server cannot be read."""
    named = set(job_ids)
    at_veeam = set(VeeamJob.objects.filter(job__in=named).values_list("job", flat=True))
    for job_id in sorted(named - at_veeam):
        observe(job_id)
    if at_veeam:
        try:
            observing.observe(at_veeam)
        except EngineError as error:
            raise Later(_AWAY) from error


def observe(job_id: UUID) -> list[str]:
    """Read a native job's folder, note what was seen, open and close drifts; the names of the open ones."""
    job = Job.objects.select_related("repository").filter(pk=job_id).exclude(state=Job.State.DELETED).first()
    if job is None:
        return []
    sight = _look(job)
    with audit.act(by=audit.WORKER, subject=job):
        locked = Job.objects.select_for_update().get(pk=job_id)
        # A step or a run that ended while the folder was read: what was seen may be half of each.
        if locked.state != Job.State.DELETED and _ended(locked) == sight.ended:
            _note_within(locked, sight)
    return list(
        Drift.objects.filter(job=job_id, closed_at=None).order_by("what").values_list("what", flat=True)
    )


def _look(job: Job) -> Sight:
    sight = Sight(began=timezone.now(), ended=_ended(job))
    vault.assert_ready()
    try:
        version = selectors.current_version(job.pk)
        # What nobody has proved to know tries no line; the head is compared all the same.
        roots = None if version is not None and version.is_unproven else vault.roots(job.pk)
        seen = engine_for(job.repository).observe(job.pk, roots)
    except OSError as error:
        sight.away = error.strerror or "it cannot be read"
        return sight
    except EngineError as error:
        sight.drifts[What.KEYRING_DAMAGED] = {"error": error.message}
        return sight
    sight.fingerprint, sight.free = seen.fingerprint, _free(job.repository)
    _compare_key(job, seen, sight)
    _compare_points(job, seen, sight)
    return sight


def _free(repository: Repository) -> int | None:
    try:
        return shutil.disk_usage(repository.location).free
    except OSError:
        return None


def _compare_key(job: Job, seen: Observation, sight: Sight) -> None:
    expected = selectors.key_expected(job.pk)
    under_way = RekeyJob.objects.filter(job=job, state__in=RekeyJob.OPEN).first()
    allowed = {expected, under_way.new_fingerprint} if under_way else {expected}
    if seen.fingerprint not in allowed:
        other = What.KEYRING_CHANGED if expected else What.KEYRING_UNKNOWN
        what = other if seen.fingerprint else What.KEYRING_MISSING
        sight.drifts[what] = {"expected": expected, "found": seen.fingerprint}
    elif seen.damage:
        sight.drifts[What.KEYRING_DAMAGED] = {"error": seen.damage}


def _compare_points(job: Job, seen: Observation, sight: Sight) -> None:
    rows = {point.pk: point for point in RestorePoint.objects.filter(job=job)}
    files, lines = set(seen.restore_points), set(seen.key_lines)
    live = {key: point for key, point in rows.items() if point.dropped_at is None}
    missing = [
        key for key, point in live.items() if key not in files or (point.storage_key and key not in lines)
    ]
    if missing:
        sight.drifts[What.POINTS_MISSING] = _named(missing)
    # A run gives its file the name before its row exists; the next observation sees both.
    running = JobSession.objects.filter(job=job, kind=JobSession.Kind.BACKUP, state__in=JobSession.OPEN)
    own = set(running.values_list("restore_point", flat=True))
    if unknown := files - rows.keys() - own:
        sight.drifts[What.POINTS_UNKNOWN] = _named(list(unknown))


def _named(points: list[UUID]) -> dict[str, Any]:
    return {"count": len(points), "restore_points": sorted(str(point) for point in points)[:_NAMED]}


def _ended(job: Job) -> tuple[int, ...]:
    """How much of a job has ended so far: counted, for a clock may be set back."""
    of_job = Q(job=job, ended_at__isnull=False)
    return (
        RekeyJob.objects.filter(of_job).count(),
        JobSession.objects.filter(of_job).count(),
        RestorePoint.objects.filter(job=job, dropped_at__isnull=False).count(),
    )


def _note_within(job: Job, sight: Sight) -> None:
    if sight.away:
        what = f"The repository cannot be read: {sight.away}."
        raise_alarm_within(Kind.UNOBSERVED, job, Alarm.Severity.WARNING, what)
        return
    resolve_alarm_within(Kind.UNOBSERVED, job)
    if sight.fingerprint is not None:
        job.observed_fingerprint, job.observed_at = sight.fingerprint, sight.began
        job.save(update_fields=["observed_fingerprint", "observed_at"])
        Repository.objects.filter(pk=job.repository_id).update(free_bytes=sight.free)
    known = {drift.what: drift for drift in Drift.objects.filter(job=job, closed_at=None)}
    # What Security explained stays so while the same is found.
    seen = {
        what: found
        for what, found in sight.drifts.items()
        if what in known or not selectors.is_explained(what, found, job=job.pk)
    }
    for what, found in seen.items():
        if what not in known:
            Drift.objects.create(job=job, what=what, found=found)
            audit.record(Event.DRIFT_FOUND, subject=job, facts={"what": what, **found})
    for what, drift in known.items():
        if what not in seen:
            drift.closed_at = timezone.now()
            drift.save(update_fields=["closed_at"])
            audit.record(Event.DRIFT_CLOSED, subject=job, facts={"what": what, "drift": drift.pk})
    if seen:
        what = "The keys or restore points of this job are not what VeeamSec left there."
        raise_alarm_within(Kind.DRIFT, job, Alarm.Severity.CRITICAL, what)
    else:
        resolve_alarm_within(Kind.DRIFT, job)
