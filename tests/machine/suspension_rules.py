"""Members stop each other: suspend, confirm, lift, and time that ends what nobody confirmed."""

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from accounts.models import Suspension, SuspensionVoice
from accounts.services import suspensions
from approvals.services import deadlines
from tests.accounts import suspending
from tests.machine.acting import Acting
from tests.machine.census import Census

MEMBER = st.integers(0, 4)
WORD = st.sampled_from(["confirm", "lift"])
MONTH = timedelta(days=30)


class SuspensionRules(Acting):
    """P3, as members live it; each act succeeds exactly when it may."""

    @rule(by=MEMBER, whom=MEMBER)
    def suspend(self, by: int, whom: int) -> None:
        self.has_suspended = True
        census, (name, own), (other, seat) = Census(), self.world.seated(by), self.world.seated(whom)
        acts = census.chairs[own.user_id].acts and census.chairs[seat.user_id].acts
        busy = any(row.suspender_id == own.pk for row in census.stopped)
        lately = Suspension.objects.filter(suspender=own, member=seat, began_at__gt=census.now - MONTH)
        may = own != seat and acts and not busy and not lately.exists()
        done = self.tried(lambda: suspending.suspend(self.world.user(name), self.world.user(other)))
        assert done == may
        self.reached["suspended"] += done

    @rule(three=st.permutations(range(3)), words=st.lists(st.tuples(st.integers(0, 2), WORD), max_size=3))
    def suspend_and_speak(self, three: Sequence[int], words: Sequence[tuple[int, str]]) -> None:
        """One suspends another, and they or a third have their say."""
        _, whom, _ = three
        self.suspend(three[0], whom)
        for who, word in (*words, (2, "confirm")):
            self.world.shift()
            self.speak(three[who], whom, word)

    @rule(three=st.permutations(range(3)), hours=st.sampled_from([71, 73]))
    def suspend_anew(self, three: Sequence[int], hours: int) -> None:
        """A second one suspends when the first suspension is just over, or not yet, and unnoted."""
        self.suspend(three[0], three[1])
        self.has_waited = True
        self.world.shift(timedelta(hours=hours))
        self.suspend(three[2], three[1])
        self.expire()

    @precondition(lambda self: self.has_suspended)
    @rule(by=MEMBER, whom=MEMBER, word=WORD)
    def speak(self, by: int, whom: int, word: str) -> None:
        census, (name, own), (other, seat) = Census(), self.world.seated(by), self.world.seated(whom)
        open_ones = [row for row in census.stopped if row.member_id == seat.pk]
        may = bool(open_ones) and own != seat and census.chairs[own.user_id].acts
        for row in open_ones:
            if word == "confirm":
                may &= row.ends_at is not None and row.suspender_id != own.pk
            else:
                may &= not SuspensionVoice.objects.filter(suspension=row, seat=own, says=word).exists()
        act = suspending.confirm if word == "confirm" else suspending.lift
        done = self.tried(lambda: act(self.world.user(name), self.world.user(other)))
        assert done == may
        self.reached[word] += done

    @precondition(lambda self: self.has_waited)
    @rule()
    def expire(self) -> None:
        """What beats now and then."""
        deadlines.expire_due()
        suspensions.settle()
        over = Q(ended_at=None, ends_at__lte=timezone.now())
        assert not Suspension.objects.filter(over).exists()
