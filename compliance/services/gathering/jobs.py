"""What checks ask of jobs and their restore points."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence, Set
from datetime import datetime
from typing import Any, NamedTuple
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
    state: str
    source: str
    include: list[str]
    exclude: list[str]
    observed_fingerprint: str
    observed_at: datetime | None


def gather(now: datetime) -> tuple[JobFacts, ...]:
    """Return every job that is not deleted."""
    live = Job.objects.exclude(state=Job.State.DELETED)
    rows = [_Row(*row) for row in live.values_list(*_Row._fields)]
    signed = badges.facts_of(rows)
    filled = {row.pk for row in rows if signed[row.pk].volumes}
    proved = _proved()
    there = {one.job_id: one for one in VeeamJob.objects.select_related("target")}
    copies = _copies_there([one for one in there.values() if one.gone_at is None], filled)
    copies.update(_copies_here(rows, filled))
    return tuple(
        JobFacts(
            id=row.pk,
            name=row.name,
            repository=row.repository_id,
            engine=row.repository__engine,
            password=row.password_id,
            sign=badges.judge(signed[row.pk], now).state,
            points={version: volume.points for version, volume in signed[row.pk].volumes.items()},
            copies=copies.get(row.pk),
            proved_at=proved.get(row.pk),
            **_as_there(row, there.get(row.pk)),
        )
        for row in rows
    )


def _as_there(row: _Row, there: VeeamJob | None) -> dict[str, Any]:
    """Return what a repository of ours is stated to be, or what Veeam says of a job of its own."""
    if row.repository__engine != Engine.VEEAM or there is None:
        return {"immutable": row.repository__immutable or row.repository__offline}
    return {
        "immutable": None if there.target is None else there.target.immutable,
        # A replica and a scan state no encryption anywhere: they write no backup.
        "writes": there.gone_at is None and not there.is_orphaned and bool(there.blocks),
        "plain_places": sum(not block["enabled"] for block in there.blocks[1:]),
        "restores_seen": False,
    }


def _proved() -> dict[UUID, datetime]:
    """Return when something of a job was last restored or verified, and it ended well."""
    done = JobSession.objects.filter(kind__in=_PROVES, state=JobSession.State.SUCCEEDED).order_by()
    return dict(done.values_list("job").annotate(Max("ended_at")))


def _copies_here(rows: Iterable[_Row], filled: Container[UUID]) -> dict[UUID, int | None]:
    """Count in how many other repositories of ours a job of the very same source has restore points too.

    The job beside must be on. None where the source is not known, as of a job that was adopted.
    """
    ours = [row for row in rows if row.repository__engine != Engine.VEEAM]
    places: dict[Any, set[UUID]] = defaultdict(set)
    for row in ours:
        if row.pk in filled and row.state == Job.State.ACTIVE:
            places[_source(row)].add(row.repository_id)
    return {row.pk: _others(row, places[_source(row)], filled) if row.source else None for row in ours}


def _others(row: _Row, places: Set[UUID], filled: Container[UUID]) -> int:
    return len(places - {row.repository_id}) if row.pk in filled else 0


def _source(row: _Row) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return row.source, tuple(sorted(row.include)), tuple(sorted(row.exclude))


def _copies_there(rows: Sequence[VeeamJob], filled: Container[UUID]) -> dict[UUID, int | None]:
    """Count in how many other places what each Veeam job writes lies too; None where its own is not known.

    A copy job counts that is on, has restore points, and writes to another repository; so does a tier that
    copies. What a copy job writes has its source elsewhere.
    """
    named: dict[str, list[VeeamJob]] = defaultdict(list)
    for row in rows:
        for name in _names(row):
            named[name].append(row)
    found: Counter[UUID] = Counter()
    for row in rows:
        found[row.job_id] += _tiers_that_copy(row)
        if row.is_disabled or row.job_id not in filled:
            continue
        for source in {one.job_id: one for name in row.copies for one in named[name]}.values():
            if source.job_id in filled and source.target_id not in (None, row.target_id) and row.target_id:
                found[source.job_id] += 1
                found[row.job_id] += 1
    return {row.job_id: found[row.job_id] if row.target_id else None for row in rows}


def _names(row: VeeamJob) -> Iterator[str]:
    """Yield how a copy job names what it copies: a job, a backup of it, or its repository."""
    yield str(row.external)
    yield from (f"backup:{backup}" for backup in row.backups)
    if row.target is not None:
        yield f"repository:{row.target.external}"


def _tiers_that_copy(row: VeeamJob) -> int:
    return 0 if row.target is None else sum(bool(tier.get("copies")) for tier in row.target.tiers)
