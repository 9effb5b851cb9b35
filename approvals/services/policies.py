"""Which policy a request falls under, and what of it is frozen into the request (P6)."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from approvals.errors import Invalid
from approvals.models import Policy
from encryption.models import Job


def policy_for(jobs: Collection[UUID], *, before: datetime | None = None) -> Policy:
    """Return the policy in force for these jobs (for none: the general one), now or before a moment.

    Raises Invalid when there is none (no policy is a no), and when the jobs fall under different ones.
    """
    places: set[UUID | None] = set(Job.objects.filter(pk__in=jobs).values_list("repository_id", flat=True))
    in_force = [_in_force(place, before or timezone.now()) for place in places or {None}]
    found = {policy.pk: policy for policy in in_force if policy is not None}
    if None in in_force:
        raise Invalid("No policy covers this, so nobody could approve it.")
    if len(found) > 1:
        raise Invalid("These jobs fall under different policies: ask for them in separate requests.")
    return next(iter(found.values()))


def snapshot(policy: Policy) -> dict[str, Any]:
    """Return what a statement freezes of a policy."""
    return {
        "administrators_may_approve": policy.administrators_may_approve,
        "advising_titles": list(policy.advising_titles),
        "decide_days": policy.decide_days,
        "execute_hours": policy.execute_hours,
        "fulls_a_night": policy.fulls_a_night,
        "id": str(policy.pk),
        "mfa_required": policy.mfa_required,
        "number": policy.number,
        "pools": list(policy.pools),
        "quorum": policy.quorum,
    }


def _in_force(place: UUID | None, before: datetime) -> Policy | None:
    newest = Policy.objects.filter(created_at__lte=before).order_by("-number")
    own = newest.filter(scope_id=place).first() if place is not None else None
    return own or newest.filter(scope=None).first()
