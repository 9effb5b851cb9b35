"""A machine that asks, votes, seats, suspends, rules, edits behind the back, delivers twice and crashes.

Whatever it does, the promises hold after each step. A refusal is an answer; any other error is a defect.
"""

from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant

from audit.services import verification
from tests.machine import governing_promises, promises
from tests.machine.password_rules import PasswordRules
from tests.machine.people_rules import PeopleRules
from tests.machine.policy_rules import STRICTER, PolicyRules
from tests.machine.sight import Sight
from tests.machine.suspension_rules import SuspensionRules
from tests.machine.work_rules import WorkRules
from tests.machine.world import selves


class House(PasswordRules, PeopleRules, SuspensionRules, PolicyRules, WorkRules):
    """Everybody at once."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, int] = {}
        self.texts: dict[UUID, tuple[object, ...]] = {}
        self.proved: dict[UUID, str] = {}

    @initialize(wanted=st.sampled_from([None] * 9 + [*STRICTER]), stops=st.booleans(), waits=st.booleans())
    def set_the_scene(self, wanted: dict[str, object] | None, stops: bool, waits: bool) -> None:
        """Often rules are stricter, something waits, or a member is stopped before anything else happens."""
        if wanted is not None:
            self.ask_for_more("administrator", wanted, False, ("dpo", "ciso"), "done")
        if waits:
            self.ask_for_a_password("operator", 1, "fitting")
        if stops:
            self.suspend(0, 2)

    def teardown(self) -> None:
        try:
            assert verification.verify().findings == ()
            # P14: person, password, address and factors of each account are as they were.
            assert selves() == self.world.selves
        finally:
            self.world.end()

    @invariant()
    def the_promises_hold(self) -> None:
        """P1 to P14, unless no row was written and no time passed since they were seen to hold."""
        self.world.shift()
        if not self.world.is_changed:
            return
        self.world.is_changed = False
        sight = Sight(self.world, self.forged, self.sanctioned)
        for promise in (*promises.EVERY_STEP, *governing_promises.EVERY_STEP):
            promise(sight)
        promises.one_password_opens(sight, self.proved)
        promises.history_stays(sight, self.seen)
        promises.texts_stay(sight, self.texts)
