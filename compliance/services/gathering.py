"""Preparing the facts that all checks look at, in a number of queries that no installation's size changes."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from compliance.checks.facts import Facts, JobFacts
from encryption import badge as badges
from encryption.models import Job


class _Row(NamedTuple):
    """What a sign needs of a job, and what a check says of it."""

    pk: UUID
    name: str
    repository__engine: str
    password_id: UUID | None
    full_next: bool
    observed_fingerprint: str
    observed_at: datetime | None


def gather(now: datetime) -> Facts:
    """Return the facts at a moment."""
    return Facts(now=now, jobs=_jobs(now))


def _jobs(now: datetime) -> tuple[JobFacts, ...]:
    live = Job.objects.exclude(state=Job.State.DELETED)
    rows = [_Row(*row) for row in live.values_list(*_Row._fields)]
    facts = badges.facts_of(rows)
    return tuple(
        JobFacts(
            id=row.pk,
            name=row.name,
            engine=row.repository__engine,
            password=row.password_id,
            sign=badges.judge(facts[row.pk], now).state,
            points={version: volume.points for version, volume in facts[row.pk].volumes.items()},
        )
        for row in rows
    )
