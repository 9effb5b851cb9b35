"""Password loss protection of a job, by the record: which points the keyset in force would open."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from encryption.models import Job, JobSession, KeysetGuard, RecoveredKeys, RestorePoint


@dataclass(frozen=True, slots=True)
class LossProtection:
    """How many encrypted points there are, and how many are protected; None: no keyset is in force."""

    since: datetime | None
    encrypted: int
    protected: int

    @property
    def is_whole(self) -> bool:
        """Whether every encrypted point is protected."""
        return self.since is not None and self.protected == self.encrypted


def loss_protection(job: Job) -> LossProtection:
    """Return how a job is protected: points made under the keyset in force, and all if it was covered."""
    points = RestorePoint.objects.filter(job=job, dropped_at=None, storage_key__isnull=False)
    guard = KeysetGuard.objects.filter(until=None).first()
    if guard is None:
        return LossProtection(None, points.count(), 0)
    covered = JobSession.objects.filter(job=job, kind=JobSession.Kind.COVER, created_at__gte=guard.since)
    last = covered.filter(state=JobSession.State.SUCCEEDED).order_by("-created_at").first()
    whole = points.count()
    if last is not None:
        return LossProtection(guard.since, whole, whole)
    # Both times are whole seconds: a point of the guard's own second may be from before it.
    return LossProtection(guard.since, whole, points.filter(created_at__gt=guard.since).count())


def recovered_keys(job_id: UUID) -> list[RecoveredKeys]:
    """Return the recoveries whose keys are held now and open restore points of a job."""
    live = RestorePoint.objects.filter(job=job_id, dropped_at=None, storage_key__isnull=False)
    points = {str(point) for point in live.values_list("pk", flat=True)}
    held = RecoveredKeys.objects.filter(erased_at=None, expires_at__gt=timezone.now())
    return [one for one in held if not points.isdisjoint(one.points)]


def is_recovered(job_id: UUID) -> bool:
    """Whether recoveries hold the keys of every encrypted restore point of a job."""
    live = RestorePoint.objects.filter(job=job_id, dropped_at=None, storage_key__isnull=False)
    held = {point for one in recovered_keys(job_id) for point in one.points}
    return bool(held) and {str(point) for point in live.values_list("pk", flat=True)} <= held
