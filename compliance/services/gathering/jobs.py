"""What checks ask of jobs and their restore points."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Max

from compliance.checks.facts import JobFacts
from encryption import badge as badges
from encryption.models import Engine, Job, JobSession, VeeamJob

_PROVES = (JobSession.Kind.RESTORE, JobSession.Kind.VERIFY)


class _Row(NamedTuple):
    """What a sign needs of a job, and what checks ask of its place."""

    pk: UUID
    name: str
    repository_id: UUID
    repository__engine: str
    repository__immutable: bool
    repository__offline: bool
    password_id: UUID | None
    full_next: bool
    observed_fingerprint: str
    observed_at: datetime | None


def gather(now: datetime) -> tuple[JobFacts, ...]:
    """Return every job that is not deleted."""
    live = Job.objects.exclude(state=Job.State.DELETED)
    rows = [_Row(*row) for row in live.values_list(*_Row._fields)]
    signed = badges.facts_of(rows)
    proved = _proved()
    there = list(VeeamJob.objects.filter(gone_at=None).select_related("target"))
    places = {one.job_id: None if one.target is None else one.target.immutable for one in there}
    copies = _copies(there)
    return tuple(
        JobFacts(
            id=row.pk,
            name=row.name,
            repository=row.repository_id,
            engine=row.repository__engine,
            password=row.password_id,
            sign=badges.judge(signed[row.pk], now).state,
            points={version: volume.points for version, volume in signed[row.pk].volumes.items()},
            immutable=_is_immutable(row, places),
            copies=copies.get(row.pk, 0) if row.repository__engine == Engine.VEEAM else None,
            proved_at=proved.get(row.pk),
        )
        for row in rows
    )


def _is_immutable(row: _Row, places: Mapping[UUID, bool | None]) -> bool | None:
    """Say it as people stated it of a repository of ours, and as Veeam says it of one of its own."""
    if row.repository__engine == Engine.VEEAM:
        return places.get(row.pk)
    return row.repository__immutable or row.repository__offline


def _proved() -> dict[UUID, datetime]:
    """Return when something of a job was last restored or verified, and it ended well."""
    done = JobSession.objects.filter(kind__in=_PROVES, state=JobSession.State.SUCCEEDED).order_by()
    return dict(done.values_list("job").annotate(Max("ended_at")))


def _copies(there: Iterable[VeeamJob]) -> Mapping[UUID, int]:
    """Count the copy jobs of each Veeam job: they name a job, a backup of it, or a repository."""
    rows = list(there)
    found: Counter[UUID] = Counter()
    named = {name for one in rows for name in one.copies}
    for one in rows:
        names = {str(one.external), *(f"backup:{backup}" for backup in one.backups)}
        if one.target is not None:
            names.add(f"repository:{one.target.external}")
        found[one.job_id] = len(names & named) + bool(one.copies)
    return found
