"""Seats and administrators: asked, decided, and written past the rules by who holds the database."""

from collections.abc import Sequence

from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import rule

from accounts.models import Role, RoleGrant, SecurityMember, User
from tests.accounts import factories
from tests.machine.acting import COUNCILS, THEN, Acting
from tests.machine.world import GOVERNORS, MEMBERS, NEWCOMERS, OFFICES

ANYBODY = st.sampled_from((*NEWCOMERS, *NEWCOMERS, "auditor", "operator", "administrator", "third"))
SEATED = st.integers(0, 4)
BY = st.sampled_from(GOVERNORS)
TITLES = st.sampled_from(["dpo", "ciso", "other"])


class PeopleRules(Acting):
    """Add, remove, replace, grant, revoke."""

    @rule(who=BY, user=ANYBODY, title=TITLES, council=COUNCILS, then=THEN)
    def seat_somebody(self, who: str, user: str, title: str, council: Sequence[str], then: str) -> None:
        candidate = self.world.cast[user].pk
        made = self.ask("add_security_member", who, user=candidate, title=title)
        self.follow(made, council, then)

    @rule(who=BY, member=SEATED, council=COUNCILS, then=THEN)
    def end_a_seat(self, who: str, member: int, council: Sequence[str], then: str) -> None:
        _, seat = self.world.seated(member)
        self.follow(self.ask("remove_security_member", who, member=seat.pk), council, then)

    @rule(who=BY, member=SEATED, user=ANYBODY, title=TITLES, council=COUNCILS, then=THEN)
    def replace_a_member(
        self, who: str, member: int, user: str, title: str, council: Sequence[str], then: str
    ) -> None:
        (_, seat), candidate = self.world.seated(member), self.world.cast[user].pk
        made = self.ask("replace_security_member", who, member=seat.pk, user=candidate, title=title)
        self.follow(made, council, then)

    @rule(who=BY, user=ANYBODY, council=COUNCILS, then=THEN)
    def grant_an_office(self, who: str, user: str, council: Sequence[str], then: str) -> None:
        made = self.ask("grant_administrator", who, user=self.world.cast[user].pk, role="backup")
        self.follow(made, council, then)

    @rule(who=BY, user=st.sampled_from((*OFFICES, *NEWCOMERS)), council=COUNCILS, then=THEN)
    def revoke_an_office(self, who: str, user: str, council: Sequence[str], then: str) -> None:
        made = self.ask("revoke_administrator", who, user=self.world.cast[user].pk, role="backup")
        self.follow(made, council, then)

    @rule(member=SEATED)
    def end_a_row(self, member: int) -> None:
        """As who holds the database: a seat ends that nobody spoke of."""
        who, seat = self.world.seated(member)
        ended = SecurityMember.objects.filter(pk=seat.pk)
        self.past_the_rules(lambda: ended.update(until=timezone.now()), who)

    @rule(who=st.sampled_from(NEWCOMERS), title=st.sampled_from(["dpo", "ciso", "other", ""]))
    def write_a_row(self, who: str, title: str) -> None:
        """The same of a seat that nobody signed, or without a title of an office: they decide nothing."""
        user = self.world.cast[who]
        if title and not SecurityMember.objects.filter(user=user, until=None).exists():
            self.past_the_rules(lambda: factories.seat(user, title), who)
        row = {"user": user, "role": Role.ADMINISTRATOR}
        if not title and not RoleGrant.objects.filter(until=None, **row).exists():
            self.past_the_rules(lambda: RoleGrant.objects.create(**row), who)

    @rule(who=st.sampled_from((*MEMBERS, "administrator", "operator")), active=st.booleans())
    def switch_an_account(self, who: str, active: bool) -> None:
        accounts = User.objects.filter(pk=self.world.cast[who].pk)
        self.past_the_rules(lambda: accounts.update(is_active=active))
