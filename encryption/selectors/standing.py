"""How jobs stand before a request: what its facts and its consequences are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from encryption.models import Job, RestorePoint
from encryption.selectors.jobs import uses_of
from encryption.selectors.passwords import current_versions


@dataclass(frozen=True, slots=True)
class Standing:
    """One job with what its facts and consequences depend on."""

    job: Job
    plain: int
    encrypted: int
    version: UUID | None
    full: int | None


def standing(jobs: Sequence[Job]) -> list[Standing]:
    """Return how each of many jobs stands, in as many queries as for one."""
    uses, versions = uses_of(jobs), current_versions(job.pk for job in jobs)
    fulls = RestorePoint.objects.filter(job__in=jobs, kind=RestorePoint.Kind.FULL, dropped_at=None)
    newest = fulls.order_by("job_id", "-created_at").distinct("job_id")
    sizes = dict(newest.values_list("job_id", "size"))
    return [
        Standing(
            job=job,
            plain=uses[job.pk].points - uses[job.pk].encrypted_points,
            encrypted=uses[job.pk].encrypted_points,
            version=versions[job.pk].pk if job.pk in versions else None,
            full=sizes.get(job.pk),
        )
        for job in jobs
    ]


def row(job: Job, what: str, text: str, **facts: int | str | None) -> dict[str, Any]:
    """Return one consequence for a job."""
    return {"job": str(job.pk), "name": job.name, "text": text, "what": what, **facts}


def points(count: int, *, capital: bool = False) -> str:
    """Say how many restore points."""
    if count == 0:
        return "No restore point" if capital else "no restore point"
    return "1 restore point" if count == 1 else f"{count} restore points"
