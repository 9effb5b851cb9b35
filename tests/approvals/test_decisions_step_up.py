"""P8: a decision needs a fresh step-up, used once, bound to this very decision."""

import pytest

from accounts.services.stepup import StepUp
from approvals.errors import (
    InteractiveRequired,
    StepUpRequired,
)
from approvals.models import Vote
from approvals.services import decisions
from audit.models import Entry
from tests.accounts import factories
from tests.approvals.conftest import fresh_code, new_policy, step_up

pytestmark = pytest.mark.django_db


def refused(code: str) -> bool:
    """Whether the newest entry is a refusal of that code."""
    newest = Entry.objects.order_by("-sequence").first()
    return newest.event == "attempt.refused" and newest.facts["code"] == code


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
