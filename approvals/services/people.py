"""Who is there to decide, read afresh under the lock that guards the Security Role."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from accounts import selectors as people
from accounts.models import SecurityRole
from approvals import rules
from approvals.selectors import voter_of


def lock_seats_within() -> None:
    """Hold the Security Role still for this transaction, and refuse while it is too small (P3)."""
    lock_role_within()
    rules.check_seats(seats() if people.sealed_at() is not None else 0)


def lock_role_within() -> None:
    """Hold the Security Role still for this transaction: nobody joins or leaves before its end."""
    SecurityRole.objects.select_for_update().get(pk=1)


def seats() -> int:
    """Return how many persons sit in Security, active and not suspended."""
    return people.security_members().values("person_id").distinct().order_by().count()


def could_decide(
    *, askers: Collection[UUID], administrators_may: bool, before: datetime
) -> list[rules.Voter]:
    """Return who could decide on a request of these askers, one account a person."""
    found = people.can_decide_people(excluded=askers, administrators_may=administrators_may, before=before)
    return [voter_of(user, before) for user in found]
