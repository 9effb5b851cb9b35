"""Passwords: people ask, vote, change their minds; the second job shares no password with the first."""

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from approvals.models import ApprovalRequest
from approvals.services import requests
from encryption.models import Job
from tests.approvals.conftest import CUSTODY, answers, approve
from tests.machine.acting import COUNCILS, THEN, Acting
from tests.machine.world import ASKERS, MEMBERS, VOTERS

KINDS = st.sampled_from(["fitting", "fitting", "activate", "change", "stop"])


class PasswordRules(Acting):
    """Activate, change, stop; vote and withdraw on whatever was asked."""

    def ask_for_a_password(self, who: str, job: int, kind: str) -> ApprovalRequest | None:
        target = Job.objects.get(pk=self.world.jobs[job].pk)
        new = {"new_password": self.secret(), "custody": [CUSTODY], "answers": answers()}
        if kind == "fitting":
            kind = "activate" if target.password_id is None else "change"
        if kind == "activate":
            made = self.ask("activate_encryption", who, jobs=[target.pk], hint="Hall", **new)
        elif kind == "change":
            made = self.ask("change_password", who, encryption_password=target.password_id, **new)
        else:
            made = self.ask("deactivate_encryption", who, jobs=[target.pk], then="keep", answers=answers())
        assert made is None or who != "nobody"
        return made

    @rule(who=st.sampled_from(ASKERS), job=st.integers(0, 1), kind=KINDS)
    def only_ask(self, who: str, job: int, kind: str) -> None:
        self.ask_for_a_password(who, job, kind)

    @rule(job=st.integers(0, 1), kind=KINDS, council=COUNCILS, then=THEN)
    def change_a_password(self, job: int, kind: str, council: Sequence[str], then: str) -> None:
        """What people mostly do: ask, approve; the work then waits, or goes on, or breaks off."""
        self.follow(self.ask_for_a_password("operator", job, kind), council, then)

    @precondition(lambda self: self.has_asked)
    @rule(who=st.sampled_from(VOTERS), which=st.integers(0, 3), yes=st.sampled_from([True, True, False]))
    def decide(self, who: str, which: int, yes: bool) -> None:
        self.vote(who, self.request(which), yes=yes)

    @precondition(lambda self: self.has_asked)
    @rule(council=COUNCILS, which=st.integers(0, 3), then=THEN)
    def decide_together(self, council: Sequence[str], which: int, then: str) -> None:
        self.follow(self.request(which), council, then)

    @precondition(lambda self: self.has_asked)
    @rule(who=st.sampled_from(MEMBERS), which=st.integers(0, 3))
    def vote_on_another_text(self, who: str, which: int) -> None:
        request = self.request(which)
        request.digest = "0" * 64
        assert not self.tried(lambda: approve(self.world.user(who), request))

    @precondition(lambda self: self.has_asked)
    @rule(who=st.sampled_from(ASKERS), which=st.integers(0, 3))
    def withdraw(self, who: str, which: int) -> None:
        request, by = self.request(which), self.world.user(who)
        if self.tried(lambda: requests.withdraw(request.pk, by=by, digest=request.digest)):
            assert by.person_id == request.asker_person_id
