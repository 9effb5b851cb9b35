"""What every rule of the machine does its work by: ask, vote, deliver, each held against the census.

A rule's precondition knows only what was done, never how it ended: what the database answers must not decide
which rules there are, or the same doings could not be done again.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Case, When
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from accounts.models import RoleGrant, SecurityMember
from approvals.models import ApprovalRequest, RequestTarget, State
from approvals.services import attesting, requests
from audit.errors import Refused
from audit.models import Outbox
from audit.queue import Task
from tests.approvals.conftest import approve, reject
from tests.faults.launcher import Fault, wrapped
from tests.faults.worker import deliver
from tests.machine.census import PASSWORDS, Census, askers, in_force, outdated, said_by
from tests.machine.world import World

WORK = (Task.EXECUTE, Task.POLICY_CHANGED, Task.REKEY_JOB, Task.REKEY_ENDED, Task.BACKUP)
PLACES = ("fsync", "rename", "lines", "write")
# Who decides together on what was just asked, most often enough of them.
COUNCILS = st.sampled_from(
    [
        ("dpo", "ciso"),
        ("dpo", "ciso"),
        ("ciso", "dpo", "third"),
        ("dpo", "third"),
        ("third", "ciso"),
        ("administrator", "ciso"),
        ("second_account", "third"),
        ("nora", "dpo"),
        ("noel", "ciso"),
        ("dpo",),
        ("third",),
        ("administrator",),
        (),
    ]
)
# What becomes of it then: the work waits, is begun, breaks off, or is brought to its end.
THEN = st.sampled_from(["waits", "begun", "crashed", "done", "done"])


class Crash(BaseException):
    """The process ends here: nothing of ours may catch it."""


class CrashAt(Fault):
    """A fault after which nothing of this process runs on."""

    def strike(self) -> None:
        raise Crash


class Acting(RuleBasedStateMachine):
    """Everybody's hands; the world is set by the test that runs it."""

    world: ClassVar[World]
    # What was reached over all examples, so that a machine that nobody lets do anything is seen.
    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.world.begin()
        # What was tried at all, whatever the answer was.
        self.has_asked = self.has_suspended = self.has_run = self.has_waited = False
        # Jobs whose keyring somebody swapped, by number, and accounts whose rows were written past the rules.
        self.swapped: set[int] = set()
        self.forged: set[UUID] = set()
        self.sanctioned = dict(self.world.approved)
        self.secrets = 0

    def tried(self, action: Callable[[], object]) -> bool:
        """Do what may be refused; whether it was done."""
        try:
            action()
        except Refused:
            return False
        return True

    def past_the_rules(self, change: Callable[[], object], *names: str) -> None:
        """Write as who holds the whole database; only its own rules stand against it."""
        self.forged |= {self.world.cast[name].pk for name in names}
        try:
            with transaction.atomic():
                change()
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", "") != "23514":
                raise

    def request(self, which: int) -> ApprovalRequest:
        """One of the newest, whatever became of it; most often one that waits."""
        waits = Case(When(state=State.PENDING, then=1), default=0)
        found = list(ApprovalRequest.objects.order_by(waits.desc(), "-number")[:4])
        return found[which % len(found)]

    def secret(self) -> str:
        self.secrets += 1
        return f"Kranich-{self.secrets}-Zitrone-Harfe-Nebel"

    def ask(self, kind: str, who: str, **wish: Any) -> ApprovalRequest | None:
        """Ask, and see that what was asked could be: by whom, of whom, under the rules of this moment."""
        self.has_asked = True
        made: list[ApprovalRequest] = []
        by, wish = self.world.user(who), {"reason": "The house has changed."} | wish
        self.tried(lambda: made.append(requests.ask(kind, by=by, via_token=who == "service", **wish)))
        if not made:
            return None
        [request], census = made, Census()
        said, chair = said_by(request), census.chairs.get(by.pk)
        assert census.enough_seats(kind)
        assert by.is_active
        if kind not in PASSWORDS:
            assert (chair is not None and chair.acts) or (by.is_human and by.pk in census.offices)
        assert str(by.person_id) in askers(said)
        maker = census.people.get(by.created_by_id)
        assert maker is None or str(maker.person_id) in askers(said)
        assert said["policy"]["id"] == str(in_force(kind, said).pk)
        for target in RequestTarget.objects.filter(request=request, type="user"):
            assert str(census.people[target.ref].person_id) in askers(said)
        self.reached[f"asked {kind}"] += 1
        return request

    def vote(self, who: str, request: ApprovalRequest, *, yes: bool) -> bool:
        """Vote, and see that it counts exactly when it may, and decides exactly when it is enough."""
        voter, census = self.world.user(who), Census()
        may = census.may_vote(voter.pk, request, yes=yes)
        done = self.tried(lambda: (approve if yes else reject)(voter, request))
        assert done == may, f"{who} on {request.kind}: {done}"
        if done:
            request.refresh_from_db()
            decided = State.APPROVED if census.decided(request, signed=False) else State.PENDING
            assert request.state == (decided if yes else State.REJECTED)
            self.reached["approved" if request.state == State.APPROVED else "voted"] += 1
        return done

    def follow(self, request: ApprovalRequest | None, council: Sequence[str], then: str) -> None:
        """Let a council decide on what was just asked, and something become of it."""
        if request is None:
            return
        for who in council:
            request.refresh_from_db()
            if request.state == State.PENDING:
                self.vote(who, request, yes=True)
                self.world.shift()
        if then == "done":
            self.deliver_everything()
        elif then != "waits":
            for row in self.rows(done_at=None)[:1]:
                self.deliver(row)
        if then == "crashed":
            self.crash_at("fsync", 2)

    def rows(self, **wanted: Any) -> list[Outbox]:
        """The messages that there are, the oldest first."""
        return list(Outbox.objects.filter(name__in=WORK, **wanted).order_by("created_at", "pk"))

    def deliver(self, row: Outbox) -> None:
        """Give one message to a worker, and see that what it begins may begin."""
        request = ApprovalRequest.objects.filter(pk=row.ref, execution__isnull=True).first()
        may, by_security = False, 0
        if request is not None:
            census = Census()
            may = census.may_execute(request)
            by_security = sum(vote.capacity == "security" for vote in census.counted(request, signed=True))
        try:
            deliver(row)
        finally:
            begun = ApprovalRequest.objects.filter(pk=row.ref, execution__isnull=False).first()
            if request is not None and begun is not None:
                assert may, f"{request.kind} was begun"
                self.sanctioned[request.pk] = by_security
                self.check_effect(begun)
        row.refresh_from_db()
        if row.name == Task.POLICY_CHANGED and row.done_at is not None:
            waiting = ApprovalRequest.objects.filter(state__in=[State.PENDING, State.APPROVED], rekey=None)
            assert not [found for found in waiting if outdated(found)]
        self.world.shift()

    def deliver_everything(self) -> None:
        for _ in range(4):
            for row in self.rows(done_at=None, due__lte=timezone.now()):
                self.deliver(row)
        attesting.attest_missing()

    def crash_at(self, place: str, number: int) -> None:
        try:
            with wrapped(place, CrashAt(place, number), Counter()):
                for row in self.rows(done_at=None, due__lte=timezone.now()):
                    self.deliver(row)
        except Crash:
            # Whoever follows finds leases that have run out.
            self.reached["crashed"] += 1
            self.world.shift(timedelta(minutes=6))

    def check_effect(self, request: ApprovalRequest) -> None:
        """P5: what was executed is what the text says."""
        change, kind = said_by(request)["change"], request.kind
        self.reached[f"began {kind}"] += 1
        if kind in PASSWORDS:
            return
        assert request.state == State.EXECUTED
        seats = SecurityMember.objects.filter(until=None)
        if kind in ("add_security_member", "replace_security_member"):
            assert seats.get(user=change["user"]).title == change["title"]
        if kind in ("remove_security_member", "replace_security_member"):
            same = change["user"] == change.get("leaving")
            assert same or SecurityMember.objects.get(pk=change["member"]).until is not None
        if kind in ("grant_administrator", "revoke_administrator"):
            held = RoleGrant.live().filter(user=change["user"], role=change["role"])
            assert held.exists() == (kind == "grant_administrator")
        if kind == "change_policy":
            policy = in_force(kind, said_by(request))
            assert {name: getattr(policy, name) for name in change["policy"]} == change["policy"]
