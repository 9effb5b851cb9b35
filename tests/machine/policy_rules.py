"""Rules change: quorum, pools, advisers, who may approve, how long."""

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import rule

from encryption.models import Repository
from tests.machine.acting import COUNCILS, THEN, Acting
from tests.machine.world import GOVERNORS

ONE_OF_EACH = [{"title": "ciso", "count": 1}, {"title": "dpo", "count": 1}]
STRICTER = (
    {"quorum": 2},
    {"quorum": 2, "pools": ONE_OF_EACH},
    {"pools": ONE_OF_EACH},
    {"administrators_may_approve": False},
    {"advising_titles": ["other"]},
    {"advising_titles": ["dpo"], "pools": []},
    {"decide_days": 3},
    {"execute_hours": 2},
    {"quorum": 3},
)
EASIER = (
    {"quorum": 1, "pools": []},
    {"quorum": 1},
    {"administrators_may_approve": True},
    {"advising_titles": []},
    {"decide_days": 30, "execute_hours": 168},
)
BY, HERE = st.sampled_from(GOVERNORS), st.sampled_from([False, False, True])


class PolicyRules(Acting):
    """Stricter or easier, everywhere or for the one repository."""

    @rule(who=BY, wanted=st.sampled_from(STRICTER), here=HERE, council=COUNCILS, then=THEN)
    def ask_for_more(
        self, who: str, wanted: dict[str, object], here: bool, council: Sequence[str], then: str
    ) -> None:
        self.change_the_rules(who, wanted, here, council, then)

    @rule(who=BY, wanted=st.sampled_from(EASIER), here=HERE, council=COUNCILS, then=THEN)
    def ask_for_less(
        self, who: str, wanted: dict[str, object], here: bool, council: Sequence[str], then: str
    ) -> None:
        self.change_the_rules(who, wanted, here, council, then)

    def change_the_rules(
        self, who: str, wanted: dict[str, object], here: bool, council: Sequence[str], then: str
    ) -> None:
        scope = Repository.objects.get().pk if here else None
        made = self.ask("change_policy", who, scope=scope, policy=wanted)
        self.follow(made, council, then)
