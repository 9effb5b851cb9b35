"""How many members of Security may be away before nothing can be decided."""

from dataclasses import dataclass

from accounts import selectors as people
from approvals import rules
from approvals.models import Policy


@dataclass(frozen=True, slots=True)
class Headroom:
    """Active members, and how many may leave, whoever they are, before the strictest policy cannot be met."""

    active: int
    spare: int

    @property
    def needed(self) -> int:
        """Return how many there must be, as the offices stand."""
        return self.active - self.spare

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
    newest = Policy.objects.order_by("scope_id", "-number").distinct("scope_id").values()
    titles = [seat.title for seat in people.security_members()]
    spares = [rules.spare(rules.PolicyFacts.read(policy), titles) for policy in newest]
    return Headroom(len(titles), min([len(titles) - rules.SEATS, *spares]))
