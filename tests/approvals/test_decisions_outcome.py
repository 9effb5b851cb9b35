"""P3, P6, P7, P12, P13: what votes make of a request, and how it ends."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection

from approvals.errors import (
    AlreadyVoted,
    Expired,
    Invalid,
    NotEligible,
    NotPending,
    SecurityRoleTooSmall,
)
from approvals.models import State, Vote
from approvals.services import decisions, requests
from audit.errors import AuditUnavailable
from audit.models import Entry
from tests.approvals.conftest import approve, new_policy, reject, step_up, suspend

pytestmark = pytest.mark.django_db


def test_p3_nothing_is_approved_while_security_is_too_small(people, pending):
    """P3"""
    suspend(people.ciso, people.third)
    with pytest.raises(SecurityRoleTooSmall):
        approve(people.dpo, pending)


def test_p3_a_rejection_needs_no_second_seat(people, pending):
    """P3"""
    suspend(people.ciso, people.third)
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
    suspend(people.dpo)
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


def test_p12_no_log_no_decision(people, pending):
    """P12: the act stops when its entry cannot be written."""
    given = step_up(people.dpo, pending, "approve")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION no_log() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER no_log BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION no_log()"
        )
    with pytest.raises(AuditUnavailable):
        decisions.approve(pending.pk, by=people.dpo, digest=pending.digest, step_up=given, interactive=True)
    pending.refresh_from_db()
    assert pending.state == State.PENDING
    assert not Vote.objects.exists()
