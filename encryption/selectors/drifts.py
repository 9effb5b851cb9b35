"""What Security accepted of what was found: an explained drift stays closed while the same is found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from encryption.models import Drift

# What an explanation writes beside what was found.
_ADDED = frozenset({"accepted", "reason"})


@dataclass(frozen=True, slots=True)
class Accepted:
    """A key of a job that nobody approved, but Security explained."""

    fingerprint: str
    at: datetime


def is_explained(
    what: str,
    found: Mapping[str, Any],
    *,
    job: UUID | None = None,
    password: UUID | None = None,
    repository: UUID | None = None,
) -> bool:
    """Say whether the newest drift of this kind and thing was explained, and what was found is the same."""
    rows = Drift.objects.filter(job=job, password=password, repository=repository, what=what)
    newest = rows.order_by("-found_at", "-pk").first()
    return newest is not None and newest.explained_by is not None and found_of(newest) == dict(found)


def found_of(drift: Drift) -> dict[str, Any]:
    """Return what was found, without what its explanation added."""
    return {name: value for name, value in drift.found.items() if name not in _ADDED}


def accepted_keys(job_ids: Iterable[UUID]) -> dict[UUID, Accepted]:
    """Return, of each job that has one, the key that was explained last, in one query."""
    wanted = {str(job) for job in job_ids}
    rows = Drift.objects.filter(explained_by__isnull=False, found__accepted__has_any_keys=sorted(wanted))
    found: dict[UUID, Accepted] = {}
    for row in rows.order_by("closed_at"):
        for job, fingerprint in row.found["accepted"].items():
            if job in wanted and row.closed_at is not None:
                found[UUID(job)] = Accepted(fingerprint, row.closed_at)
    return found
