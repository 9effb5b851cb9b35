"""How many members of Security may be away before nothing can be decided."""

from dataclasses import dataclass

from accounts import selectors as people
from approvals import rules
from approvals.models import Policy


@dataclass(frozen=True, slots=True)
class Headroom:
    """Active members against what the strictest policy in force needs, one asker or subject aside."""

    active: int
    needed: int

    @property
    def spare(self) -> int:
        """Return how many more there are than needed; negative when too few."""
        return self.active - self.needed

    @property
    def note(self) -> str:
        """Return it in plain words."""
        if self.spare < 0:
            return f"{self.active} of {self.needed} active members: nothing can be decided."
        if self.spare == 0:
            return f"{self.active} active members, none to spare: one absence stops you."
        return f"{self.active} active members, {self.spare} more than needed."


def headroom() -> Headroom:
    """Return the headroom of the Security Role now."""
    newest = Policy.objects.order_by("scope_id", "-number").distinct("scope_id")
    quorum = max((policy.quorum for policy in newest), default=1)
    return Headroom(people.active_seats(), max(rules.SEATS, quorum + 1))
