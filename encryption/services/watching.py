"""What did not happen although it should have: a scheduled run, a copy that follows what it copies."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, QuerySet
from django.utils import timezone

from audit import selectors as audit_selectors
from audit import services as audit
from audit.alarms import Kind
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from audit.statement import BEAT
from encryption.models import Job, JobSession, RestorePoint, VeeamJob
from encryption.services.veeam import reading

JOB = "encryption.job"
# A worker that is alive begins in seconds; an hour is longer than any of its other work should keep it.
LATE = timedelta(hours=1)
# A day is what most copy jobs are allowed to lie behind.
BEHIND = timedelta(days=1)


def watch() -> None:
    """Raise or end the alarms about runs that were missed and copies that lie behind."""
    now = timezone.now()
    _tell(Kind.RUN_MISSED, missed(now))
    _tell(Kind.COPY_BEHIND, behind(now))


def missed(now: datetime) -> dict[UUID, str]:
    """Return the jobs of which a scheduled run did not happen, each with why."""
    jobs = {
        job.pk: job
        for job in Job.objects.filter(
            state=Job.State.ACTIVE, schedule_minutes__isnull=False, next_run_at__isnull=False
        )
    }
    found = {
        job.pk: f"A run was due at {job.next_run_at:%Y-%m-%d %H:%M} UTC and was not begun."
        for job in jobs.values()
        if job.next_run_at is not None and job.next_run_at <= now - LATE
    }
    waiting = JobSession.objects.filter(
        job__in=jobs, kind=JobSession.Kind.BACKUP, state__in=JobSession.OPEN, created_at__lte=now - LATE
    )
    for session in waiting:
        period = timedelta(minutes=jobs[session.job_id].schedule_minutes or 0)
        if session.started_at is None:
            found[session.job_id] = (
                "The last run was asked for more than an hour ago, and no worker took it up."
            )
        elif session.created_at <= now - LATE - period:
            found[session.job_id] = "The last run still goes on, so the next one was not begun."
    return found


def behind(now: datetime) -> dict[UUID, str]:
    """Return the copy jobs whose newest point is older than one that they should have copied a day ago."""
    jobs = list(VeeamJob.objects.filter(gone_at=None, is_disabled=False).select_related("job"))
    of_ids = {(job.server_id, str(job.external)): job.pk for job in jobs}
    of_backups = {(job.server_id, f"backup:{name}"): job.pk for job in jobs for name in job.backups}
    known = of_ids | of_backups
    newest = _newest(RestorePoint.objects.filter(dropped_at=None))
    settled = _newest(RestorePoint.objects.filter(dropped_at=None, created_at__lte=now - BEHIND))
    found = {}
    for copy in jobs:
        if not reading.is_copy(copy.type):
            continue
        sources = {known[copy.server_id, name] for name in copy.copies if (copy.server_id, name) in known}
        wanted = max((settled[pk] for pk in sources if pk in settled), default=None)
        has = newest.get(copy.pk)
        if wanted is not None and (has is None or has < wanted):
            found[copy.pk] = f"A restore point of {wanted:%Y-%m-%d %H:%M} UTC is not copied yet."
    return found


def _newest(points: QuerySet[RestorePoint]) -> dict[UUID, datetime]:
    return dict(points.order_by().values_list("job").annotate(Max("created_at")))


def _tell(kind: Kind, found: Mapping[UUID, str]) -> None:
    open_ones = audit_selectors.open_alarms().filter(kind=kind)
    raised = {UUID(ref) for ref in open_ones.values_list("subject_id", flat=True)}
    if raised == set(found):
        return
    with audit.act(by=BEAT, subject="jobs"):
        for pk in sorted(set(found) - raised):
            raise_alarm_within(kind, (JOB, pk), Alarm.Severity.WARNING, found[pk])
        for pk in sorted(raised - set(found)):
            resolve_alarm_within(kind, (JOB, pk))
