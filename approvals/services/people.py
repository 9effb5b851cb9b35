"""Who is there to decide, read afresh under the lock that guards the Security Role."""

from accounts import selectors as people
from accounts.models import SecurityRole
from approvals import rules


def lock_seats_within(*, least: int = rules.SEATS) -> None:
    """Hold the Security Role still for this transaction, and refuse while it is too small (P3)."""
    lock_role_within()
    rules.check_seats(seats() if people.sealed_at() is not None else 0, least=least)


def lock_role_within() -> None:
    """Hold the Security Role still for this transaction: nobody joins or leaves before its end."""
    SecurityRole.objects.select_for_update().get(pk=1)


def seats() -> int:
    """Return how many persons sit in Security, active and not suspended."""
    return people.active_seats()
