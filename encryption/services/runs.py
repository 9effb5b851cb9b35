"""Asking for runs, restores and verifications; they never wait for a request."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.errors import NotEligible
from accounts.models import User
from audit import queue
from audit import services as audit
from audit.events import Event
from audit.models import Outbox
from encryption import rules, selectors
from encryption.errors import JobBusy, JobRefused, Unknown
from encryption.models import Job, JobSession, Repository, RestorePoint

Asker = User | audit.SystemActor

# A session without a task that works on it is rung for again after so long.
_LOST = timedelta(minutes=10)


def start_backup(job_id: UUID, *, by: Asker, full: bool = False) -> JobSession:
    """Ask for a run; the session shows how it goes. Raises JobBusy, JobRefused, NotEligible."""
    with audit.act(by=by, subject=("encryption.job", job_id)):
        job = locked(job_id, by, "run")
        session = queue_within(job, by=by, full=full)
        if session is None:
            raise JobBusy("A run of this job is queued or under way.")
        audit.record(Event.JOB_RUN, subject=job, facts={"session": session.pk, "full": full})
    return session


def start_restore(
    restore_point_id: UUID,
    *,
    to: str,
    paths: Sequence[str] | None = None,
    case: UUID | None = None,
    by: Asker,
) -> JobSession:
    """Ask for a restore into an empty folder under VEEAMSEC_ROOTS; `paths` narrows it.

    With `case` it opens with the keys of that recovery, and not with the password.

    Raises PlaceRefused, JobRefused, NotEligible, Unknown.
    """
    with audit.act(by=by, subject=("encryption.restorepoint", restore_point_id)):
        point = _point(restore_point_id, by)
        _check_may(by, "restore", point.job)
        target = restore_target(to)
        if paths is not None and (not paths or not all(isinstance(path, str) and path for path in paths)):
            raise JobRefused("Paths are a list of texts, at least one; leave them out to restore everything.")
        session = JobSession.objects.create(
            job=point.job,
            kind=JobSession.Kind.RESTORE,
            asked_by=by.pk,
            restore_point=point.pk,
            wish={"to": str(target), "paths": list(paths) if paths is not None else None}
            | ({"case": str(case)} if case is not None else {}),
        )
        queue.ring(queue.Task.RESTORE, session.pk)
        audit.record(
            Event.RESTORE_STARTED, facts={"session": session.pk, "job": point.job_id, "to": str(target)}
        )
    return session


def restore_target(to: str) -> Path:
    """Return where a restore may write; asked for and done, it is judged twice. Raises PlaceRefused."""
    target = rules.place(to, roots=settings.VEEAMSEC_ROOTS, home=settings.VEEAMSEC_HOME)
    places = Repository.objects.values_list("location", flat=True)
    rules.outside_repositories(target, [Path(place) for place in places])
    return target


def start_verify(restore_point_id: UUID, *, by: Asker) -> JobSession:
    """Ask for a verification: every block is read and checked. Raises NotEligible, Unknown."""
    with audit.act(by=by, subject=("encryption.restorepoint", restore_point_id)):
        point = _point(restore_point_id, by)
        _check_may(by, "run", point.job)
        session = JobSession.objects.create(
            job=point.job, kind=JobSession.Kind.VERIFY, asked_by=by.pk, restore_point=point.pk
        )
        queue.ring(queue.Task.RESTORE, session.pk)
        audit.record(Event.JOB_RUN, facts={"session": session.pk, "job": point.job_id, "verify": True})
    return session


def schedule_due() -> int:
    """Queue every run whose time has come, ring for forgotten sessions; returns how many began."""
    now = timezone.now()
    due = Job.objects.filter(state=Job.State.ACTIVE, next_run_at__lte=now).order_by("pk")
    started = 0
    for job_id in list(due.values_list("pk", flat=True)):
        with audit.act(by=audit.BEAT, subject=("encryption.job", job_id)):
            job = Job.objects.select_for_update().get(pk=job_id)
            if job.state != Job.State.ACTIVE or job.next_run_at is None or job.next_run_at > now:
                continue
            job.next_run_at = rules.next_run(job.next_run_at, minutes=job.schedule_minutes, now=now)
            job.save(update_fields=["next_run_at"])
            session = queue_within(job, by=None)
            if session is not None:
                audit.record(Event.JOB_RUN, facts={"session": session.pk, "full": False})
                started += 1
    _ring_for_lost(now)
    return started


def queue_within(
    job: Job, *, by: Asker | None, full: bool = False, due: datetime | None = None
) -> JobSession | None:
    """Make a backup session and ring for it in the caller's transaction, which holds the job's lock.

    None when one is queued or under way already.
    """
    if JobSession.objects.filter(job=job, kind=JobSession.Kind.BACKUP, state__in=JobSession.OPEN).exists():
        return None
    session = JobSession.objects.create(
        job=job, kind=JobSession.Kind.BACKUP, asked_by=by.pk if by else None, wish={"full": full}
    )
    queue.ring(queue.Task.BACKUP, session.pk, due=due)
    return session


def _ring_for_lost(now: datetime) -> None:
    # Should an outbox row be lost with its table's content, its session would wait for ever.
    quiet = Q(lease_until__lt=now - _LOST) | Q(lease_until=None, created_at__lt=now - _LOST)
    waiting = JobSession.objects.filter(quiet, state__in=JobSession.OPEN)
    rung = Outbox.objects.filter(done_at=None, ref__in=waiting.values("pk")).values("ref")
    for session in waiting.exclude(pk__in=rung):
        task = queue.Task.BACKUP if session.kind == JobSession.Kind.BACKUP else queue.Task.RESTORE
        with audit.act(by=audit.BEAT, subject=("encryption.job", session.job_id)):
            queue.ring(task, session.pk)


def locked(job_id: UUID, by: Asker, verb: str, *, even_disabled: bool = False) -> Job:
    """Return an active job under the caller's lock, for who may do this with it.

    Raises Unknown, NotEligible, JobRefused.
    """
    if isinstance(by, User):
        selectors.job_detail(job_id, by)
    job = Job.objects.select_for_update().filter(pk=job_id).exclude(state=Job.State.DELETED).first()
    if job is None:
        raise Unknown("There is no such job.")
    _check_may(by, verb, job)
    if job.state != Job.State.ACTIVE and not even_disabled:
        raise JobRefused("This job is disabled; enable it first.")
    return job


def _point(point_id: UUID, by: Asker) -> RestorePoint:
    if isinstance(by, User):
        return selectors.restore_point_for(point_id, by)
    live = RestorePoint.objects.filter(pk=point_id, dropped_at=None).select_related("job__repository")
    point = live.first()
    if point is None:
        raise Unknown("There is no such restore point.")
    return point


def _check_may(by: Asker, verb: str, job: Job) -> None:
    # Who runs a command on this machine could run the engine by hand; the log says that it was the console.
    if by is not audit.CONSOLE and not (isinstance(by, User) and selectors.may(by, verb, job)):
        raise NotEligible("Your role does not allow this for this job.")
