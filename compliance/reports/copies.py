"""What lay in a copy on a day: which restore points, of which jobs, and under which version they were then.

Of the native engine a change of the password re-wraps every point of a job, so a row names the version of
today; the version of that day is the one of the step that was executed last before. At Veeam a point stays
under the password it was written with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from accounts.models import User
from compliance.errors import Invalid, NotFound
from encryption import selectors as encryption
from encryption.models import Engine, Job, PasswordVersion, RekeyJob, Repository, RestorePoint

# A chain is a full and its increments; no job keeps more between two fulls.
_LONGEST_CHAIN = 10_000


@dataclass(frozen=True, slots=True)
class Copy:
    """What is held to be in other hands: all of a repository, of a job, or one restore point, on a day."""

    name: str
    asked: Mapping[str, str]
    day: date
    jobs: tuple[Job, ...]
    points: QuerySet[RestorePoint]

    @property
    def begin(self) -> datetime:
        """The first moment of the day."""
        return datetime.combine(self.day, time(), UTC)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return self.begin + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Held:
    """Restore points of one job that needed the same on that day; no version: they are in clear."""

    job: Job
    version: PasswordVersion | None
    # The step that put them under it, where VeeamSec did.
    step: RekeyJob | None
    points: int
    size: int
    oldest: datetime
    newest: datetime


def copy_of(asked: Mapping[str, str], viewer: User, today: date) -> Copy:
    """Read which copy is meant. Raises Invalid, NotFound."""
    day = _day(asked.get("day", ""), today)
    named = [name for name in ("repository", "job", "restore_point") if asked.get(name)]
    if len(named) != 1:
        raise Invalid("Name a repository, a job or a restore point: one of them.")
    [what] = named
    ref = _uuid(asked[what])
    begin = datetime.combine(day, time(), UTC)
    there = RestorePoint.objects.filter(created_at__lt=begin + timedelta(days=1))
    there = there.filter(Q(dropped_at=None) | Q(dropped_at__gte=begin))
    jobs = encryption.jobs_for(viewer).select_related("repository")
    if what == "restore_point":
        point = RestorePoint.objects.filter(pk=ref, job__in=jobs).select_related("job").first()
        if point is None:
            raise NotFound("There is no such restore point, or it is not yours to see.")
        found, name = jobs.filter(pk=point.job_id), f"restore point {str(ref)[:8]} of {point.job.name}"
        there = there.filter(pk__in=_chain(point))
    elif what == "job":
        found = jobs.filter(pk=ref)
        name = "job " + ", ".join(job.name for job in found)
    else:
        found = jobs.filter(repository=ref)
        name = f"repository {Repository.objects.filter(pk=ref).first() or ''}"
    if not found:
        raise NotFound("There is no such job or repository, or it is not yours to see.")
    listed = tuple(found.order_by("name"))
    kept = {what: str(ref), "day": day.isoformat()}
    return Copy(name, kept, day, listed, there.filter(job__in=[job.pk for job in listed]))


def _chain(point: RestorePoint) -> list[UUID]:
    """Return a restore point and what it builds on: without those it opens nothing."""
    found = [point.pk]
    base = point.base_id
    while base is not None and len(found) < _LONGEST_CHAIN:
        found.append(base)
        base = RestorePoint.objects.filter(pk=base).values_list("base_id", flat=True).first()
    return found


def held_in(copy: Copy) -> list[Held]:
    """Return what lay in a copy, job by job; a job whose password changed that day appears with both."""
    rows = (
        copy.points.order_by()
        .values("job_id", "password_version_id")
        .annotate(n=Count("pk"), bytes=Sum("size"), oldest=Min("created_at"), newest=Max("created_at"))
    )
    jobs = {job.pk: job for job in copy.jobs}
    versions = PasswordVersion.objects.select_related("password").in_bulk(
        {row["password_version_id"] for row in rows} - {None}
    )
    steps = _steps(copy)
    found: list[Held] = []
    for row in rows:
        job = jobs[row["job_id"]]
        sums = (row["n"], int(row["bytes"]), row["oldest"], row["newest"])
        version = versions.get(row["password_version_id"])
        then = steps.get(job.pk, []) if job.repository.engine == Engine.NATIVE else []
        if version is None or not then:
            found.append(Held(job, version, None, *sums))
        else:
            found += [Held(job, step.rekey.version, step, *sums) for step in then]
    return sorted(found, key=lambda one: (one.job.name, one.oldest))


def _steps(copy: Copy) -> dict[UUID, list[RekeyJob]]:
    """Return, of each job, the step in force as the day began and those of the day itself."""
    done = RekeyJob.objects.filter(
        job__in=[job.pk for job in copy.jobs],
        state=RekeyJob.State.SUCCEEDED,
        user_key__isnull=False,
        ended_at__lt=copy.end,
    )
    found: dict[UUID, list[RekeyJob]] = {}
    for step in done.select_related("rekey__version__password").order_by("ended_at"):
        if step.ended_at is not None and step.ended_at < copy.begin:
            found[step.job_id] = [step]
        else:
            found.setdefault(step.job_id, []).append(step)
    return found


def changed_since(copy: Copy) -> Sequence[RekeyJob]:
    """Return the steps that were executed after the day, oldest first."""
    rows = RekeyJob.objects.filter(
        job__in=[job.pk for job in copy.jobs], state=RekeyJob.State.SUCCEEDED, ended_at__gte=copy.end
    )
    return list(rows.select_related("rekey__version", "job").order_by("ended_at"))


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Invalid("The day is written as 2026-11-02.") from error
    if day > today:
        raise Invalid("The day is still to come.")
    return day


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid("This is no id.") from error
