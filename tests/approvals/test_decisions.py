"""P1, P6, P7, P8: who decides, who does not, and what each is told."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts.models import Role, RoleGrant, SecurityMember
from accounts.services.stepup import StepUp
from approvals.errors import (
    AlreadyVoted,
    DigestMismatch,
    Expired,
    InteractiveRequired,
    Invalid,
    NotEligible,
    NotFound,
    NotPending,
    OwnRequest,
    SecurityRoleTooSmall,
    StepUpRequired,
)
from approvals.models import State, Vote
from approvals.services import decisions, requests
from audit.models import Entry, Outbox
from tests.accounts import factories
from tests.approvals.conftest import approve, fresh_code, new_policy, reject, step_up

pytestmark = pytest.mark.django_db


def refused(code: str) -> bool:
    """Whether the newest entry is a refusal of that code."""
    newest = Entry.objects.order_by("-sequence").first()
    return newest.event == "attempt.refused" and newest.facts["code"] == code


def test_one_approval_by_security_approves(people, pending):
    request = approve(people.dpo, pending)
    assert request.state == State.APPROVED


def test_an_approval_rings_for_the_execution(people, pending):
    approve(people.dpo, pending)
    assert Outbox.objects.filter(name="approvals.execute", ref=pending.pk).count() == 1


def test_an_administrator_approves_where_the_policy_allows(people, pending):
    assert approve(people.administrator, pending).state == State.APPROVED


def test_an_administrator_is_refused_where_the_policy_leaves_it_to_security(people, ask):
    new_policy(administrators_may_approve=False)
    request = ask()
    with pytest.raises(NotEligible):
        approve(people.administrator, request)


def test_p1_the_asker_is_refused(people, ask):
    """P1"""
    request = ask(by=people.dpo)
    with pytest.raises(OwnRequest):
        approve(people.dpo, request)
    assert refused("own_request")


def test_p1_a_second_account_of_the_asker_is_refused(people, pending):
    """P1: several accounts of one person are one pair of eyes."""
    with pytest.raises(OwnRequest):
        approve(people.second_account, pending)


def test_p1_what_a_service_account_asks_its_owner_asked(people, ask):
    """P1"""
    request = ask(by=people.service, via_token=True)
    with pytest.raises(OwnRequest):
        approve(people.second_account, request)


def test_p1_a_superuser_without_a_role_is_refused(people, pending):
    """P1: no role is exempt, superuser included."""
    with pytest.raises(NotEligible):
        approve(people.superuser, pending)


def test_p1_a_superuser_who_asks_from_a_security_seat_is_refused(people, ask):
    """P1"""
    people.dpo.is_superuser = True
    people.dpo.save()
    with pytest.raises(OwnRequest):
        approve(people.dpo, ask(by=people.dpo))


def test_p1_an_auditor_is_refused(people, pending):
    """P1"""
    with pytest.raises(NotEligible):
        approve(people.auditor, pending)


def test_somebody_without_a_role_does_not_even_learn_of_it(people, pending):
    with pytest.raises(NotFound):
        approve(people.nobody, pending)


def test_p8_a_token_is_refused_before_anything_else(people, pending):
    """P8"""
    with pytest.raises(InteractiveRequired):
        decisions.approve(
            pending.pk,
            by=people.dpo,
            digest=pending.digest,
            step_up=step_up(people.dpo, pending, "approve"),
            interactive=False,
        )
    assert not Vote.objects.exists()


def test_p8_a_service_account_is_refused(people, pending):
    """P8"""
    with pytest.raises(InteractiveRequired):
        decisions.challenge(
            pending.pk, by=people.service, verdict="approve", digest=pending.digest, interactive=True
        )


def test_p8_a_decision_without_step_up_is_refused(people, pending):
    """P8"""
    with pytest.raises(StepUpRequired):
        decisions.approve(
            pending.pk, by=people.dpo, digest=pending.digest, step_up=StepUp("none"), interactive=True
        )
    assert refused("step_up_required")


def test_p8_a_step_up_for_another_verdict_is_refused(people, pending):
    """P8: bound to this decision."""
    with pytest.raises(StepUpRequired):
        decisions.approve(
            pending.pk,
            by=people.dpo,
            digest=pending.digest,
            step_up=step_up(people.dpo, pending, "reject", "No."),
            comment="No.",
            interactive=True,
        )


def test_p8_a_step_up_for_another_comment_is_refused(people, pending):
    """P8"""
    with pytest.raises(StepUpRequired):
        decisions.approve(
            pending.pk,
            by=people.dpo,
            digest=pending.digest,
            step_up=step_up(people.dpo, pending, "approve", "Fine."),
            comment="Never.",
            interactive=True,
        )


def test_p8_a_step_up_of_another_person_is_refused(people, pending):
    """P8"""
    given = step_up(people.dpo, pending, "approve")
    with pytest.raises(StepUpRequired):
        decisions.approve(
            pending.pk,
            by=people.ciso,
            digest=pending.digest,
            step_up=StepUp(given.nonce, totp=fresh_code(people.ciso)),
            interactive=True,
        )


def test_p8_a_nonce_is_used_up_by_a_wrong_code(people, pending):
    """P8: used once, whatever follows."""
    given = step_up(people.dpo, pending, "approve")
    fields = {"by": people.dpo, "digest": pending.digest, "interactive": True}
    with pytest.raises(StepUpRequired):
        decisions.approve(pending.pk, step_up=StepUp(given.nonce, totp="000000"), **fields)
    with pytest.raises(StepUpRequired):
        decisions.approve(pending.pk, step_up=given, **fields)


def test_p8_a_password_does_not_do_while_the_policy_demands_mfa(people, pending):
    """P8"""
    given = step_up(people.dpo, pending, "approve")
    with pytest.raises(StepUpRequired):
        decisions.approve(
            pending.pk,
            by=people.dpo,
            digest=pending.digest,
            step_up=StepUp(given.nonce, password=factories.PASSWORD),
            interactive=True,
        )


def test_p8_a_password_does_where_the_policy_lets_it(people, ask):
    """P8"""
    new_policy(mfa_required=False)
    request = ask()
    given = step_up(people.dpo, request, "approve")
    request = decisions.approve(
        request.pk,
        by=people.dpo,
        digest=request.digest,
        step_up=StepUp(given.nonce, password=factories.PASSWORD),
        interactive=True,
    )
    assert request.votes.get().proof["factor"] == "password"


def test_p5_another_digest_is_refused(people, pending):
    """P5"""
    with pytest.raises(DigestMismatch):
        decisions.challenge(pending.pk, by=people.dpo, verdict="approve", digest="0" * 64, interactive=True)


def test_p6_who_joined_after_the_request_does_not_vote(people, pending):
    """P6"""
    late = factories.make_user("late")
    factories.seat(late)
    factories.add_totp(late)
    with pytest.raises(NotEligible, match="joined after"):
        approve(late, pending)


def test_p6_an_administrator_made_after_the_request_does_not_vote(people, pending):
    """P6"""
    late = factories.make_user("late", role=Role.ADMINISTRATOR)
    factories.add_totp(late)
    with pytest.raises(NotEligible, match="joined after"):
        approve(late, pending)


def test_p6_a_lost_role_is_lost_for_a_session_that_lives_on(people, pending):
    """P6: live membership, not what held at sign-in."""
    RoleGrant.objects.filter(user=people.administrator).update(until=datetime.now(UTC))
    with pytest.raises((NotEligible, NotFound)):
        approve(people.administrator, pending)


def test_a_suspended_member_does_not_vote(people, pending):
    SecurityMember.objects.filter(user=people.dpo).update(suspended_at=datetime.now(UTC))
    with pytest.raises((NotEligible, NotFound)):
        approve(people.dpo, pending)


def test_p3_nothing_is_approved_while_security_is_too_small(people, pending):
    """P3"""
    for user in (people.ciso, people.third):
        SecurityMember.objects.filter(user=user).update(suspended_at=datetime.now(UTC))
    with pytest.raises(SecurityRoleTooSmall):
        approve(people.dpo, pending)


def test_p3_a_rejection_needs_no_second_seat(people, pending):
    """P3"""
    for user in (people.ciso, people.third):
        SecurityMember.objects.filter(user=user).update(suspended_at=datetime.now(UTC))
    assert reject(people.dpo, pending).state == State.REJECTED


def test_p6_time_ends_a_request_and_never_approves_it(people, pending):
    """P6"""
    with time_machine.travel(pending.decide_by + timedelta(seconds=1)), pytest.raises(Expired):
        decisions.challenge(
            pending.pk, by=people.dpo, verdict="approve", digest=pending.digest, interactive=True
        )
    pending.refresh_from_db()
    assert pending.state == State.EXPIRED
    assert pending.sealed_secret is None


def test_p7_one_vote_a_person(people, ask):
    """P7"""
    new_policy(quorum=2)
    request = ask()
    approve(people.dpo, request)
    with pytest.raises(AlreadyVoted):
        approve(people.dpo, request)


def test_p6_the_quorum_is_the_one_of_the_day_of_asking(people, ask):
    """P6: frozen into the request."""
    new_policy(quorum=2)
    request = ask()
    new_policy(quorum=1)
    assert approve(people.dpo, request).state == State.PENDING
    assert approve(people.ciso, request).state == State.APPROVED


def test_a_pool_asks_for_both_offices(people, ask):
    new_policy(quorum=2, pools=[{"title": "dpo", "count": 1}, {"title": "ciso", "count": 1}])
    request = ask()
    approve(people.dpo, request)
    assert approve(people.third, request).state == State.PENDING
    assert approve(people.ciso, request).state == State.APPROVED


def test_the_consent_of_an_advising_office_does_not_count(people, ask):
    new_policy(advising_titles=["dpo"])
    request = ask()
    assert approve(people.dpo, request).state == State.PENDING


def test_the_objection_of_an_advising_office_rejects(people, ask):
    new_policy(advising_titles=["dpo"])
    assert reject(people.dpo, ask()).state == State.REJECTED


def test_a_vote_of_somebody_suspended_since_does_not_count(people, ask):
    new_policy(quorum=2)
    request = ask()
    approve(people.dpo, request)
    SecurityMember.objects.filter(user=people.dpo).update(suspended_at=datetime.now(UTC))
    assert approve(people.ciso, request).state == State.PENDING


def test_a_rejection_ends_the_request_and_erases_the_secret(people, pending):
    request = reject(people.ciso, pending)
    assert request.state == State.REJECTED
    assert request.sealed_secret is None
    assert not request.targets.filter(open=True).exists()


def test_a_rejection_needs_a_comment(people, pending):
    with pytest.raises(Invalid):
        reject(people.dpo, pending, comment="  ")


def test_nothing_is_decided_twice(people, pending):
    reject(people.ciso, pending)
    with pytest.raises(NotPending):
        approve(people.dpo, pending)


def test_p12_a_decision_is_one_transition_in_the_log(people, pending):
    """P12"""
    approve(people.dpo, pending)
    events = (
        Entry.objects.filter(subject_id=str(pending.pk)).order_by("sequence").values_list("event", flat=True)
    )
    assert list(events) == ["request.created", "vote.cast", "request.approved"]


def test_p13_the_log_holds_no_comment(people, pending):
    """P13"""
    reject(people.dpo, pending, comment="Ask Karl Muster first.")
    assert not any(b"Muster" in bytes(entry.canonical) for entry in Entry.objects.all())


def test_the_asker_withdraws(people, pending):
    request = requests.withdraw(pending.pk, by=people.operator, digest=pending.digest)
    assert request.state == State.WITHDRAWN
    assert request.sealed_secret is None


def test_another_person_does_not_withdraw(people, pending):
    with pytest.raises(NotEligible):
        requests.withdraw(pending.pk, by=people.administrator, digest=pending.digest)


def test_nothing_approved_is_withdrawn(people, pending):
    approve(people.dpo, pending)
    with pytest.raises(NotPending):
        requests.withdraw(pending.pk, by=people.operator, digest=pending.digest)
