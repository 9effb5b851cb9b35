"""Which password opens what, and until when: restore points by time, bound to the version that each needs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from encryption.models import Drift, Job, PasswordVersion, RestorePoint, VeeamJob

# A band shows at most so many marks; neighbours share one, with their count.
MARKS = 200

# Cells are what one place holds of one version; neighbours under the same version are one stretch.
_STRETCHES = """
    WITH cells AS (
        SELECT job_id, password_version_id AS version,
               least(greatest(width_bucket(extract(epoch FROM created_at)::float8, %s, %s, %s), 1), %s)
                   AS place,
               min(created_at) AS begins, max(created_at) AS ends, count(*) AS points
        FROM encryption_restorepoint
        WHERE job_id = ANY(%s) AND dropped_at IS NULL
        GROUP BY 1, 2, 3
    ), marked AS (
        SELECT *, (version IS DISTINCT FROM lag(version) OVER line)::int AS starts
        FROM cells WINDOW line AS (PARTITION BY job_id ORDER BY begins, ends)
    ), numbered AS (
        SELECT *, sum(starts) OVER (PARTITION BY job_id ORDER BY begins, ends ROWS UNBOUNDED PRECEDING)
                  AS stretch
        FROM marked
    )
    SELECT job_id, version, min(begins), max(ends), sum(points)::bigint, array_agg(place), array_agg(points)
    FROM numbered GROUP BY job_id, version, stretch ORDER BY job_id, min(begins)
"""

_UNKNOWN = "?"
# Of a thousand jobs' tallies, which the database adds up faster than they are read.
_SUMS = """
    SELECT CASE WHEN type = %s AND key = '' THEN %s ELSE key END, sum(value::bigint)::bigint
    FROM ({}) jobs, jsonb_each_text(jobs.tally) GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Restore points of one job, one after another, that need the same version; None: not encrypted.

    Of a backup whose job nobody knew, `known` says that even that cannot be told.
    """

    version: PasswordVersion | None
    begins: datetime
    ends: datetime
    points: int
    known: bool = True


@dataclass(frozen=True, slots=True)
class Opened:
    """One job's live restore points, oldest first.

    `marks` says how many share each of the places between the two ends of time, which are counted from 1.
    """

    stretches: list[Stretch] = field(default_factory=list)
    marks: dict[int, int] = field(default_factory=dict)

    @property
    def points(self) -> int:
        """How many restore points there are."""
        return sum(stretch.points for stretch in self.stretches)


@dataclass(frozen=True, slots=True)
class Figures:
    """What all jobs together need, and who is known to hold it."""

    points: int
    passwords: int
    versions: int
    older: int
    retirable: int
    unheld: int
    unheld_points: int
    plain_points: int
    # Of backups whose jobs nobody knew.
    unknown_points: int
    unexplained: int


def opened(jobs: Sequence[Job], *, since: datetime, until: datetime) -> dict[UUID, Opened]:
    """Return what opens the restore points of these jobs, in two queries; each was read with its `veeam`."""
    lo, hi = since.timestamp(), max(until.timestamp(), since.timestamp() + 1)
    with connection.cursor() as cursor:
        cursor.execute(_STRETCHES, [lo, hi, MARKS, MARKS, [job.pk for job in jobs]])
        rows = cursor.fetchall()
    needed = {row[1] for row in rows if row[1] is not None}
    versions = PasswordVersion.objects.select_related("password").in_bulk(needed)
    orphaned = {job.pk for job in jobs if getattr(getattr(job, "veeam", None), "is_orphaned", False)}
    found = {job.pk: Opened() for job in jobs}
    for job, version, begins, ends, points, places, counts in rows:
        known = version is not None or job not in orphaned
        stretch = Stretch(versions[version] if version else None, begins, ends, points, known)
        found[job].stretches.append(stretch)
        marks = found[job].marks
        # Where a version ends, two stretches may share a place.
        for place, count in zip(places, counts, strict=True):
            marks[place] = marks.get(place, 0) + count
    return found


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
    counts, untold = _counts(jobs)
    needed = {version: count for version, count in counts.items() if version is not None}
    versions = list(
        PasswordVersion.objects.filter(pk__in=needed).select_related("password__veeam").defer("sealed_root")
    )
    unknown = [one for one in versions if not one.sealed_password and not is_kms(one)]
    drifts = Drift.objects.filter(closed_at=None).exclude(what__in=Drift.GAPS)
    return Figures(
        points=counts.total() + untold,
        passwords=len({one.password_id for one in versions}),
        versions=len(versions),
        older=sum(one.in_force_until is not None for one in versions),
        retirable=retirable(jobs).count(),
        unheld=len(unknown),
        unheld_points=sum(needed[one.pk] for one in unknown),
        plain_points=counts[None],
        unknown_points=untold,
        unexplained=drifts.filter(Q(job__in=jobs) | Q(password__jobs__in=jobs)).distinct().count(),
    )


def _counts(jobs: QuerySet[Job]) -> tuple[Counter[UUID | None], int]:
    """Return how many live restore points need which version, and of how many it is not known.

    Those of Veeam were counted as they came.
    """
    found: Counter[UUID | None] = Counter()
    live = RestorePoint.objects.filter(job__in=jobs, dropped_at=None).order_by()
    # Named one by one, or a million others would be read to find them.
    own = list(jobs.filter(veeam=None).order_by().values_list("pk", flat=True))
    if own:
        found.update(dict(live.filter(job__in=own).values_list("password_version").annotate(Count("pk"))))
    tallies, named = VeeamJob.objects.filter(job__in=jobs).values("tally", "type").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_SUMS.format(tallies), (VeeamJob.ORPHANED, _UNKNOWN, *named))
        sums = dict(cursor.fetchall())
    unknown = sums.pop(_UNKNOWN, 0)
    found.update({UUID(version) if version else None: count for version, count in sums.items()})
    return found, unknown


def is_kms(version: PasswordVersion) -> bool:
    """Say whether a key management server stands for this version's value."""
    veeam = getattr(version.password, "veeam", None)
    return veeam is not None and veeam.is_kms


def _versions(jobs: QuerySet[Job]) -> QuerySet[PasswordVersion]:
    points = RestorePoint.objects.filter(job__in=jobs).values("password_version")
    return PasswordVersion.objects.filter(Q(password__jobs__in=jobs) | Q(pk__in=points)).distinct()
