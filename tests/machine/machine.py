"""A machine that asks, votes, withdraws, edits behind the back, lets time pass, delivers twice and crashes.

Whatever it does, the promises hold after each step. A refusal is an answer; any other error is a defect.
"""

import shutil
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Case, When
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from accounts.models import Role, SecurityMember, User
from approvals.models import ApprovalRequest, State
from approvals.services import attesting, deadlines, requests
from audit.errors import Refused
from audit.models import Outbox
from audit.queue import Task
from audit.services import verification
from encryption.badge import State as Sign
from encryption.badge import badge
from encryption.crypto import kdf
from encryption.engines.native import rekey as native
from encryption.models import Job
from encryption.services import drift, runs
from tests.accounts import factories
from tests.approvals.conftest import CUSTODY, answers, approve, reject
from tests.faults.launcher import Fault, wrapped
from tests.faults.worker import deliver
from tests.machine import promises
from tests.machine.world import ASKERS, MEMBERS, VOTERS, World

WORK = (Task.EXECUTE, Task.REKEY_JOB, Task.REKEY_ENDED, Task.BACKUP)
KINDS = ("fitting", "fitting", "activate", "change", "stop")
PLACES = ("fsync", "rename", "line", "write")
STRANGER = b"x" * 32


class Crash(BaseException):
    """The process ends here: nothing of ours may catch it."""


class CrashAt(Fault):
    """A fault after which nothing of this process runs on."""

    def strike(self) -> None:
        raise Crash


class House(RuleBasedStateMachine):
    """Everybody at once; the world is set by the test that runs it."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.world.begin()
        self.tampered: set[str] = set()
        self.seen: dict[str, int] = {}
        self.proved: dict[UUID, str] = {}
        self.numbers = 0
        self.pending = self.waiting = False

    def teardown(self) -> None:
        try:
            assert verification.verify().findings == ()
        finally:
            self.world.end()

    def tried(self, action: Callable[[], object]) -> bool:
        """Do what may be refused; whether it was done."""
        try:
            action()
        except Refused:
            return False
        return True

    def request(self, which: int) -> ApprovalRequest:
        """One of the newest, whatever became of it; most often one that waits."""
        waits = Case(When(state=State.PENDING, then=1), default=0)
        found = list(ApprovalRequest.objects.order_by(waits.desc(), "-number")[:4])
        return found[which % len(found)]

    def secret(self) -> str:
        self.numbers += 1
        return f"Kranich-{self.numbers}-Zitrone-Harfe-Nebel"

    # People ask, decide, change their minds.

    @rule(who=st.sampled_from(ASKERS), job=st.integers(0, 1), kind=st.sampled_from(KINDS))
    def ask(self, who: str, job: int, kind: str) -> None:
        by, target = self.world.user(who), Job.objects.get(pk=self.world.jobs[job].pk)
        wish = {"reason": "The authority asks for it.", "answers": answers()}
        new = {"new_password": self.secret(), "custody": [CUSTODY]}
        if kind == "fitting":
            kind = "activate" if target.password_id is None else "change"
        if kind == "activate":
            asked = "activate_encryption", wish | new | {"jobs": [target.pk], "hint": "Hall"}
        elif kind == "change":
            asked = "change_password", wish | new | {"encryption_password": target.password_id}
        else:
            asked = "deactivate_encryption", wish | {"jobs": [target.pk], "then": "keep"}
        self.tried(lambda: requests.ask(asked[0], by=by, via_token=who == "service", **asked[1]))

    @precondition(lambda self: self.pending)
    @rule(who=st.sampled_from(VOTERS), which=st.integers(0, 3), yes=st.booleans())
    def vote(self, who: str, which: int, yes: bool) -> None:
        request, voter = self.request(which), self.world.user(who)
        if not self.tried(lambda: (approve if yes else reject)(voter, request)):
            return
        facts = voter.facts()
        assert facts.person != request.asker_person_id
        assert facts.is_human
        assert facts.active
        assert facts.is_security or Role.ADMINISTRATOR in facts.roles
        assert request.created_at <= timezone.now() < request.decide_by

    @rule(
        job=st.integers(0, 1),
        member=st.sampled_from(MEMBERS),
        kind=st.sampled_from(KINDS),
        begun=st.sampled_from(["not", "begun", "crashed", "done", "done"]),
        place=st.sampled_from(PLACES),
        number=st.integers(1, 6),
    )
    def decide_in_a_hurry(
        self, job: int, member: str, kind: str, begun: str, place: str, number: int
    ) -> None:
        """What people mostly do: ask, approve; the work then waits, or goes on, or breaks off."""
        self.ask("operator", job, kind)
        newest = ApprovalRequest.objects.order_by("-number").first()
        if newest is not None:
            self.tried(lambda: approve(self.world.user(member), newest))
        if begun == "done":
            self.deliver_all()
        elif begun != "not":
            self.deliver_one(0)
        if begun == "crashed":
            self.crash(place, number)

    @precondition(lambda self: self.pending)
    @rule(who=st.sampled_from(MEMBERS), which=st.integers(0, 3))
    def vote_on_another_text(self, who: str, which: int) -> None:
        request = self.request(which)
        request.digest = "0" * 64
        assert not self.tried(lambda: approve(self.world.user(who), request))

    @precondition(lambda self: self.pending)
    @rule(who=st.sampled_from(ASKERS), which=st.integers(0, 3))
    def withdraw(self, who: str, which: int) -> None:
        request, by = self.request(which), self.world.user(who)
        if self.tried(lambda: requests.withdraw(request.pk, by=by, digest=request.digest)):
            assert by.person_id == request.asker_person_id

    # Membership and accounts change.

    @rule(who=st.sampled_from(MEMBERS))
    def lose_a_seat(self, who: str) -> None:
        seats = SecurityMember.objects.filter(user=self.world.user(who), until=None)
        self.past_the_rules(lambda: seats.update(until=timezone.now()))

    @rule(who=st.sampled_from((*MEMBERS, "administrator", "operator")), active=st.booleans())
    def switch_an_account(self, who: str, active: bool) -> None:
        accounts = User.objects.filter(pk=self.world.user(who).pk)
        self.past_the_rules(lambda: accounts.update(is_active=active))

    @rule()
    def seat_a_newcomer(self) -> None:
        def join() -> None:
            newcomer = factories.make_user(f"newcomer{User.objects.count()}")
            factories.seat(newcomer)

        self.past_the_rules(join)

    def past_the_rules(self, change: Callable[[], object]) -> None:
        """What only the database stands against."""
        try:
            with transaction.atomic():
                change()
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", "") != "23514":
                raise

    # Time passes, work is delivered, once or twice, and processes end in the middle of it.

    @rule(hours=st.sampled_from([0.05, 2, 25, 24 * 8]))
    def let_time_pass(self, hours: float) -> None:
        self.world.clock.shift(timedelta(hours=hours))

    @rule()
    def expire(self) -> None:
        deadlines.expire_due()

    @precondition(lambda self: self.waiting)
    @rule(which=st.integers(0, 7))
    def deliver_one(self, which: int) -> None:
        rows = list(Outbox.objects.filter(name__in=WORK).order_by("-created_at")[:8])
        if rows:
            deliver(rows[which % len(rows)])

    @rule()
    def deliver_all(self) -> None:
        for _ in range(4):
            for row in Outbox.objects.filter(name__in=WORK, done_at=None).order_by("created_at"):
                deliver(row)
        attesting.attest_missing()

    @precondition(lambda self: self.waiting)
    @rule(place=st.sampled_from(PLACES), number=st.integers(1, 6))
    def crash(self, place: str, number: int) -> None:
        rows = Outbox.objects.filter(name__in=WORK, done_at=None, due__lte=timezone.now())
        try:
            with wrapped(place, CrashAt(place, number), Counter()):
                for row in rows.order_by("created_at"):
                    deliver(row)
        except Crash:
            # Whoever follows finds a lease that runs out.
            self.world.clock.shift(timedelta(minutes=2))

    @rule(job=st.integers(0, 1))
    def run_a_backup(self, job: int) -> None:
        self.tried(lambda: runs.start_backup(self.world.jobs[job].pk, by=self.world.user("operator")))

    # Somebody with the share in hand edits behind the back.

    @rule(job=st.integers(0, 1), how=st.sampled_from(["older", "foreign", "gone"]))
    def swap_the_keyring(self, job: int, how: str) -> None:
        folder = self.world.folder(self.world.jobs[job])
        keyring, kept = folder / "keyring", folder / "kept"
        if not keyring.exists() or kept.exists():
            return
        keyring.rename(kept)
        pristine = self.world.pristine / folder.name / "keyring"
        if how == "older" and pristine.exists() and pristine.read_bytes() != kept.read_bytes():
            shutil.copy(pristine, keyring)
        elif how == "foreign":
            parameters = kdf.Argon2id(salt=b"s" * 16)
            native.activate(folder, root=STRANGER, user_key=UUID(int=9), parameters=parameters)
        self.tampered.add(folder.name)

    @precondition(lambda self: self.tampered)
    @rule()
    def put_the_keyring_back(self) -> None:
        for name in self.tampered:
            folder = self.world.repository / name
            (folder / "kept").replace(folder / "keyring")
        self.tampered.clear()

    @rule(job=st.integers(0, 1))
    def observe(self, job: int) -> None:
        target = self.world.jobs[job]
        found = drift.observe(target.pk)
        if str(target.pk) in self.tampered:
            assert found
            assert badge(Job.objects.get(pk=target.pk)).state == Sign.DRIFT

    # What must be so, always.

    @invariant()
    def the_promises_hold(self) -> None:
        sight = promises.Sight(self.world)
        for promise in promises.EVERY_STEP:
            promise(sight)
        promises.one_password_opens(sight, self.tampered, self.proved)
        promises.history_stays(sight, self.seen)
        self.pending = any(request.state == State.PENDING for request in sight.requests.values())
        self.waiting = Outbox.objects.filter(name__in=WORK, done_at=None).exists()
