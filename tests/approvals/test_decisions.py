"""P1, P5, P6: who decides, who does not, and what each is told."""

from datetime import UTC, datetime

import pytest

from accounts.models import Role, RoleGrant
from approvals.errors import (
    DigestMismatch,
    NotEligible,
    NotFound,
    OwnRequest,
)
from approvals.models import State
from approvals.services import decisions
from audit.models import Entry, Outbox
from tests.accounts import factories
from tests.approvals.conftest import approve, new_policy, suspend

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
    suspend(people.dpo)
    with pytest.raises((NotEligible, NotFound)):
        approve(people.dpo, pending)
