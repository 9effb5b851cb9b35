"""P1, P3, P5 to P8 as pure rules: standing, request and clock in; a refusal with its reason out."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.rules import Standing
from approvals import rules
from approvals.errors import (
    AlreadyVoted,
    DigestMismatch,
    Expired,
    InteractiveRequired,
    Invalid,
    NotEligible,
    NotPending,
    OwnRequest,
    SecurityRoleTooSmall,
)
from approvals.rules import PolicyFacts, Pool, RequestFacts, VoteFacts, Voter

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=30)
ASKER, DIGEST = uuid.uuid4(), "d" * 64
POLICY = PolicyFacts(1, (), frozenset(), True, True)


def member(title: str = "dpo", **fields: Any) -> Voter:
    """A member of Security."""
    given = {
        "user": uuid.uuid4(),
        "person": uuid.uuid4(),
        "is_human": True,
        "active": True,
        "roles": frozenset(),
        "security_title": title,
        "security_since": BEFORE,
    }
    return Voter(Standing(**(given | fields)))


def administrator(**fields: Any) -> Voter:
    """A Backup administrator."""
    given = {
        "user": uuid.uuid4(),
        "person": uuid.uuid4(),
        "is_human": True,
        "active": True,
        "roles": frozenset({"administrator"}),
    }
    return Voter(Standing(**(given | fields)), BEFORE)


def request(*votes: VoteFacts, policy: PolicyFacts = POLICY, **fields: Any) -> RequestFacts:
    """A pending request."""
    given = {
        "id": uuid.uuid4(),
        "state": "pending",
        "digest": DIGEST,
        "askers": frozenset({ASKER}),
        "policy": policy,
        "created": NOW - timedelta(hours=1),
        "decide_by": NOW + timedelta(days=7),
        "votes": votes,
    }
    return RequestFacts(**(given | fields))


def yes(voter: Voter, **fields: Any) -> VoteFacts:
    """An approval."""
    return VoteFacts(
        **({"verdict": "approve", "capacity": voter.capacity, "digest": DIGEST, "voter": voter} | fields)
    )


def check(facts: RequestFacts, voter: Voter, **fields: Any) -> str:
    """Check an approval."""
    given = {"verdict": "approve", "digest": DIGEST, "comment": "", "now": NOW}
    return rules.check_vote(facts, voter, **(given | fields))


def test_a_member_decides_for_security():
    assert check(request(), member()) == "security"


def test_an_administrator_decides_as_such():
    assert check(request(), administrator()) == "administrator"


def test_a_member_with_an_office_too_decides_for_security():
    both = member(roles=frozenset({"administrator"}))
    assert check(request(), both) == "security"


@pytest.mark.parametrize(
    ("voter", "refusal"),
    [
        (member(person=ASKER), OwnRequest),
        (administrator(person=ASKER), OwnRequest),
        (member(person=ASKER, superuser=True), OwnRequest),
        (member(is_human=False), InteractiveRequired),
        (member(active=False), NotEligible),
        (member(suspended=True), NotEligible),
        (member(security_title=None), NotEligible),
        (member(security_title=None, superuser=True), NotEligible),
        (member(security_since=NOW), NotEligible),
        (member(security_since=None), NotEligible),
        (administrator(roles=frozenset({"operator", "auditor", "enterprise"})), NotEligible),
        (replace(administrator(), administrator_since=NOW), NotEligible),
        (replace(administrator(), administrator_since=None), NotEligible),
    ],
)
def test_p1_who_may_not_decide(voter, refusal):
    """P1, P6, P8"""
    with pytest.raises(refusal):
        check(request(), voter)


def test_a_suspended_member_does_not_fall_back_on_an_office():
    """P3"""
    both = Voter(
        replace(member(suspended=True).standing, roles=frozenset({"administrator"})),
        administrator_since=BEFORE,
    )
    with pytest.raises(NotEligible):
        check(request(), both)


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        (request(decide_by=NOW), Expired),
        (request(state="expired"), Expired),
        (request(state="approved"), NotPending),
        (request(state="withdrawn"), NotPending),
        (request(state="stale"), NotPending),
        (request(policy=replace(POLICY, administrators_may_approve=False)), NotEligible),
    ],
)
def test_p6_when_nothing_is_decided(facts, refusal):
    """P6"""
    with pytest.raises(refusal):
        check(facts, administrator())


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"verdict": "maybe"}, Invalid),
        ({"verdict": "reject", "comment": " "}, Invalid),
        ({"comment": "x" * 2001}, Invalid),
        ({"digest": "e" * 64}, DigestMismatch),
    ],
)
def test_what_is_no_decision(fields, refusal):
    with pytest.raises(refusal):
        check(request(), member(), **fields)


def test_p7_a_person_votes_once_with_whatever_account():
    """P7"""
    voter = member()
    other = member(person=voter.standing.person)
    with pytest.raises(AlreadyVoted):
        check(request(yes(voter)), other)


def test_p3_two_seats_are_needed():
    """P3"""
    rules.check_seats(2)
    with pytest.raises(SecurityRoleTooSmall):
        rules.check_seats(1)


@pytest.mark.parametrize(("interactive", "is_human"), [(False, True), (True, False)])
def test_p8_a_person_at_a_browser_is_needed(interactive, is_human):
    """P8"""
    with pytest.raises(InteractiveRequired):
        rules.check_interactive(interactive=interactive, is_human=is_human)


def test_no_votes_decide_nothing():
    assert rules.outcome(request()) == "pending"


def test_p6_a_quorum_of_nobody_is_not_met_by_nobody():
    """P6: empty means no."""
    assert rules.outcome(request(policy=replace(POLICY, quorum=0))) == "pending"


def test_one_objection_rejects_whatever_else():
    voters = [member(), member("ciso")]
    votes = [yes(voters[0]), yes(voters[1], verdict="reject")]
    assert rules.outcome(request(*votes)) == "rejected"


def test_two_accounts_of_a_person_count_once():
    """P1"""
    voter = member()
    twice = [yes(voter), yes(member(person=voter.standing.person))]
    assert rules.outcome(request(*twice, policy=replace(POLICY, quorum=2))) == "pending"


@pytest.mark.parametrize(
    "vote",
    [
        yes(member(person=ASKER)),
        yes(member(suspended=True), capacity="security"),
        yes(member(active=False), capacity="security"),
        yes(member(security_since=NOW)),
        yes(member(), digest="e" * 64),
        yes(member(), capacity="administrator"),
        yes(administrator(), capacity="security"),
    ],
)
def test_p5_votes_that_do_not_count(vote):
    """P5: by how things stand now."""
    assert rules.outcome(request(vote)) == "pending"


def test_a_person_stands_in_one_pool_only():
    pools = (Pool("dpo", 1), Pool("ciso", 1))
    policy = replace(POLICY, quorum=2, pools=pools)
    assert rules.outcome(request(yes(member("dpo")), yes(member("dpo")), policy=policy)) == "pending"
    assert rules.outcome(request(yes(member("dpo")), yes(member("ciso")), policy=policy)) == "approved"


def test_an_administrator_fills_no_pool_of_security():
    policy = replace(POLICY, pools=(Pool("dpo", 1),))
    assert rules.outcome(request(yes(administrator()), policy=policy)) == "pending"


def test_a_policy_that_nobody_can_meet_is_known():
    assert not rules.possible(replace(POLICY, quorum=2), [member()])
    assert not rules.possible(replace(POLICY, advising_titles=frozenset({"dpo"})), [member("dpo")])
    assert rules.possible(replace(POLICY, quorum=2), [member(), administrator()])


@pytest.mark.parametrize(
    "snapshot",
    [
        {},
        {
            "quorum": 0,
            "pools": [],
            "advising_titles": [],
            "administrators_may_approve": True,
            "mfa_required": True,
        },
        {
            "quorum": 1,
            "pools": [{}],
            "advising_titles": [],
            "administrators_may_approve": 1,
            "mfa_required": 1,
        },
        {
            "quorum": None,
            "pools": [],
            "advising_titles": [],
            "administrators_may_approve": 1,
            "mfa_required": 1,
        },
        {
            "quorum": 1,
            "pools": [{"title": "dpo", "count": 0}],
            "advising_titles": [],
            "administrators_may_approve": True,
            "mfa_required": True,
        },
    ],
)
def test_p6_a_policy_that_lacks_a_rule_is_none(snapshot):
    """P6"""
    with pytest.raises(Invalid):
        PolicyFacts.read(snapshot)


def test_p3_who_suspended_another_may_only_reject():
    """P3: until a third member confirmed it."""
    suspender = member(may_only_reject=True)
    assert check(request(), suspender, verdict="reject", comment="Not now.") == "security"
    with pytest.raises(NotEligible, match="only reject"):
        check(request(), suspender)


def test_p3_a_consent_of_who_suspended_another_does_not_count():
    """P3"""
    assert rules.outcome(request(yes(member(may_only_reject=True)))) == "pending"
