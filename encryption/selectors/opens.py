"""Which password opens what, and until when: restore points by time, bound to the version that each needs."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from encryption.models import Drift, Job, PasswordVersion, RestorePoint, VeeamJob

# A band shows at most so many marks; neighbours share one, with their count.
MARKS = 200

_BUCKETS = """
    SELECT job_id, width_bucket(extract(epoch FROM created_at), %s, %s, %s) AS place, password_version_id,
           min(created_at), max(created_at), count(*)
    FROM encryption_restorepoint
    WHERE job_id = ANY(%s) AND dropped_at IS NULL
    GROUP BY 1, 2, 3 ORDER BY 1, 4, 5
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Restore points of one job, one after another, that need the same version; None: not encrypted."""

    version: PasswordVersion | None
    begins: datetime
    ends: datetime
    points: int


@dataclass(frozen=True, slots=True)
class Mark:
    """Restore points that share one of the places between the two ends of time."""

    place: int
    points: int


@dataclass(frozen=True, slots=True)
class Opened:
    """One job's live restore points, oldest first."""

    stretches: tuple[Stretch, ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def points(self) -> int:
        """How many restore points there are."""
        return sum(stretch.points for stretch in self.stretches)


@dataclass(frozen=True, slots=True)
class Figures:
    """What all jobs together need, and who is known to hold it."""

    jobs: int
    points: int
    passwords: int
    versions: int
    older: int
    retirable: int
    unheld: int
    unheld_points: int
    plain_points: int
    unexplained: int


def opened(jobs: Sequence[Job], *, since: datetime, until: datetime) -> dict[UUID, Opened]:
    """Return what opens the restore points of these jobs, in two queries."""
    lo, hi = since.timestamp(), max(until.timestamp(), since.timestamp() + 1)
    with connection.cursor() as cursor:
        cursor.execute(_BUCKETS, [lo, hi, MARKS, [job.pk for job in jobs]])
        rows = cursor.fetchall()
    needed = {row[2] for row in rows if row[2] is not None}
    versions = PasswordVersion.objects.select_related("password").in_bulk(needed)
    of_jobs: dict[UUID, list[tuple[int, PasswordVersion | None, datetime, datetime, int]]] = defaultdict(list)
    for job, place, version, begins, ends, points in rows:
        of_jobs[job].append(
            (min(max(place, 1), MARKS), versions[version] if version else None, begins, ends, points)
        )
    return {job.pk: _row(of_jobs[job.pk]) for job in jobs}


def _row(found: list[tuple[int, PasswordVersion | None, datetime, datetime, int]]) -> Opened:
    stretches: list[Stretch] = []
    marks: dict[int, int] = defaultdict(int)
    for place, version, begins, ends, points in found:
        marks[place] += points
        last = stretches[-1] if stretches else None
        if last is not None and last.version == version:
            stretches[-1] = Stretch(version, last.begins, max(last.ends, ends), last.points + points)
        else:
            stretches.append(Stretch(version, begins, ends, points))
    return Opened(tuple(stretches), tuple(Mark(place, marks[place]) for place in sorted(marks)))


def oldest_point(jobs: Sequence[Job]) -> datetime | None:
    """Return when the oldest live restore point of these jobs was made."""
    live = RestorePoint.objects.filter(job__in=jobs, dropped_at=None)
    oldest: datetime | None = live.aggregate(oldest=Min("created_at"))["oldest"]
    return oldest


def retirable(jobs: QuerySet[Job]) -> QuerySet[PasswordVersion]:
    """Return the versions of these jobs' passwords that nothing needs any more, and are not in force."""
    used = RestorePoint.objects.filter(password_version=OuterRef("pk"), dropped_at=None)
    of_jobs = _versions(jobs).filter(erased_at=None, in_force_until__isnull=False)
    return of_jobs.filter(~Exists(used))


def unheld(jobs: QuerySet[Job]) -> QuerySet[PasswordVersion]:
    """Return the versions whose value nobody proved to know, and that live restore points need."""
    used = RestorePoint.objects.filter(password_version=OuterRef("pk"), dropped_at=None)
    unknown = (
        _versions(jobs).filter(sealed_password=None, erased_at=None).exclude(password__veeam__is_kms=True)
    )
    return unknown.filter(Exists(used))


def figures(jobs: QuerySet[Job]) -> Figures:
    """Return what the tiles say, in a fixed number of queries."""
    counts = _counts(jobs)
    needed = {version: count for version, count in counts.items() if version is not None}
    versions = list(
        PasswordVersion.objects.filter(pk__in=needed).select_related("password__veeam").defer("sealed_root")
    )
    unknown = [one for one in versions if not one.sealed_password and not is_kms(one)]
    drifts = Drift.objects.filter(closed_at=None).exclude(what__in=Drift.GAPS)
    return Figures(
        jobs=jobs.count(),
        points=counts.total(),
        passwords=len({one.password_id for one in versions}),
        versions=len(versions),
        older=sum(one.in_force_until is not None for one in versions),
        retirable=retirable(jobs).count(),
        unheld=len(unknown),
        unheld_points=sum(needed[one.pk] for one in unknown),
        plain_points=counts[None],
        unexplained=drifts.filter(Q(job__in=jobs) | Q(password__jobs__in=jobs)).distinct().count(),
    )


def _counts(jobs: QuerySet[Job]) -> Counter[UUID | None]:
    """Return how many live restore points need which version; those of Veeam were counted as they came."""
    found: Counter[UUID | None] = Counter()
    live = RestorePoint.objects.filter(job__in=jobs, dropped_at=None).order_by()
    # Named one by one, or a million others would be read to find them.
    own = list(jobs.filter(veeam=None).order_by().values_list("pk", flat=True))
    if own:
        found.update(dict(live.filter(job__in=own).values_list("password_version").annotate(Count("pk"))))
    for tally in VeeamJob.objects.filter(job__in=jobs).values_list("tally", flat=True):
        found.update({UUID(version) if version else None: count for version, count in tally.items()})
    return found


def is_kms(version: PasswordVersion) -> bool:
    """Say whether a key management server stands for this version's value."""
    veeam = getattr(version.password, "veeam", None)
    return veeam is not None and veeam.is_kms


def _versions(jobs: QuerySet[Job]) -> QuerySet[PasswordVersion]:
    points = RestorePoint.objects.filter(job__in=jobs).values("password_version")
    return PasswordVersion.objects.filter(Q(password__jobs__in=jobs) | Q(pk__in=points)).distinct()
