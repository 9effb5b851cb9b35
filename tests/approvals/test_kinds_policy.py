"""P4, P6: rules change by a request; stricter ones end what is open, easier ones never ease it."""

import pytest

from approvals.errors import Invalid, NotEligible, NotFound, OpenRequestExists, SecurityRoleTooSmall, Stale
from approvals.models import Policy, State
from approvals.services import deadlines, policies
from audit.models import Entry, Outbox
from encryption.models import Repository
from tests.approvals.conftest import approve, new_policy, reject, work
from tests.approvals.executing import forge
from tests.approvals.governing import asked

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _signed(roster: None) -> None:
    """Every test here has the signed roster."""


def change(people, by=None, scope=None, **policy):
    """Ask for other rules."""
    return asked("change_policy", by or people.administrator, scope=scope, policy=policy)


def changed(people, **fields) -> Policy:
    """Other rules, asked, decided and executed."""
    request = work(approve(people.dpo, change(people, **fields)))
    assert request.state == State.EXECUTED, request.outcome
    return Policy.objects.order_by("-created_at").first()


def test_p4_rules_change_by_a_request(people):
    """P4: the worker puts them into force; history stays."""
    former = policies.in_force(None)
    policy = changed(people, quorum=2, decide_days=3)
    assert (policy.quorum, policy.decide_days, policy.number) == (2, 3, former.number + 1)
    assert policies.in_force(None) == policy
    assert Policy.objects.filter(pk=former.pk).exists()
    assert Entry.objects.filter(event="policy.changed").count() == 1


def test_p4_no_administrator_decides_on_rules(people):
    """P4"""
    with pytest.raises(NotEligible, match="Security alone"):
        approve(people.second_account, change(people, by=people.dpo, quorum=2))


@pytest.mark.parametrize("name", ["operator", "auditor", "superuser", "service"])
def test_p4_others_do_not_ask_for_rules(people, name):
    """P4"""
    with pytest.raises(NotEligible):
        change(people, by=getattr(people, name), quorum=2)


def test_p4_the_former_quorum_decides_on_the_next(people):
    """P4: an easier rule needs as many as the one it replaces."""
    new_policy(quorum=2)
    request = change(people, quorum=1)
    approve(people.dpo, request)
    request.refresh_from_db()
    assert request.state == State.PENDING
    assert work(approve(people.ciso, request)).state == State.EXECUTED


def test_p6_a_stricter_policy_ends_open_requests(people, pending):
    """P6"""
    changed(people, quorum=2)
    assert Outbox.objects.filter(name="approvals.policy_changed").exists()
    assert deadlines.end_outdated() == 1
    pending.refresh_from_db()
    assert (pending.state, pending.outcome) == (State.STALE, deadlines.OUTDATED)


def test_p6_in_the_gap_no_vote_approves_under_the_former(people, pending):
    """P6: before the worker has come round; a no is still a no."""
    changed(people, quorum=2)
    with pytest.raises(Stale):
        approve(people.dpo, pending)
    reject(people.dpo, pending)


def test_p6_in_the_gap_nothing_is_executed_under_the_former(people, pending):
    """P6"""
    approve(people.ciso, pending)
    changed(people, administrators_may_approve=False)
    assert work(pending).state == State.STALE


def test_p6_an_easier_policy_eases_no_open_request(people, ask):
    """P6: quorum is frozen when it is asked."""
    new_policy(quorum=2)
    pending = ask()
    request = change(people, quorum=1)
    approve(people.ciso, request)
    assert work(approve(people.dpo, request)).state == State.EXECUTED
    assert deadlines.end_outdated() == 0
    approve(people.dpo, pending)
    pending.refresh_from_db()
    assert pending.state == State.PENDING


@pytest.mark.parametrize(
    "stricter",
    [
        {"quorum": 2},
        {"pools": [{"title": "dpo", "count": 1}]},
        {"advising_titles": ["other"]},
        {"administrators_may_approve": False},
        {"decide_days": 2},
        {"execute_hours": 1},
    ],
)
def test_p6_whatever_is_stricter_ends_what_is_open(people, pending, stricter):
    """P6"""
    changed(people, **stricter)
    assert deadlines.end_outdated() == 1


@pytest.mark.parametrize("easier", [{"decide_days": 30}, {"fulls_a_night": 3}, {"execute_hours": 48}])
def test_p6_what_is_not_stricter_ends_nothing(people, pending, easier):
    """P6"""
    changed(people, **easier)
    assert deadlines.end_outdated() == 0


def test_p3_members_exceed_the_quorum(people):
    """P3: else one absence stops everything."""
    with pytest.raises(SecurityRoleTooSmall):
        change(people, quorum=3)


def test_p3_also_when_it_is_executed(people):
    """P3"""
    request = approve(people.dpo, change(people, quorum=2))
    people.third.security_seats.update(until=request.created_at)
    assert work(request).state == State.STALE
    assert policies.in_force(None).quorum == 1


@pytest.mark.parametrize(
    "policy",
    [
        {"pools": [{"title": "ciso", "count": 2}]},
        {"advising_titles": ["dpo", "ciso"]},
        {"advising_titles": ["dpo", "ciso", "other"]},
    ],
)
def test_p3_rules_that_cannot_be_met_are_refused(people, policy):
    """P3"""
    with pytest.raises(SecurityRoleTooSmall):
        change(people, **policy)


@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"quorum": 1},
        {"quorum": 0},
        {"quorum": True},
        {"quorum": "2"},
        {"decide_days": 31},
        {"execute_hours": 0},
        {"pools": [{"title": "dpo"}]},
        {"pools": [{"title": "king", "count": 1}]},
        {"pools": [{"title": "dpo", "count": 1}, {"title": "dpo", "count": 1}]},
        {"pools": [{"title": "dpo", "count": 1}], "advising_titles": ["dpo"]},
        {"procedure_text": " "},
        {"procedure_questions": ["Why?", "Why?"]},
        {"self_approval": True},
    ],
)
def test_rules_that_are_none_are_invalid(people, policy):
    with pytest.raises(Invalid):
        change(people, **policy)


def test_a_pool_of_two_offices_needs_both(people, ask):
    changed(people, pools=[{"title": "dpo", "count": 1}, {"title": "ciso", "count": 1}])
    request = approve(people.dpo, ask())
    assert request.state == State.PENDING
    assert approve(people.ciso, request).state == State.APPROVED


def test_who_advises_may_object_and_not_consent(people, ask, make_job):
    changed(people, advising_titles=["other"])
    request = approve(people.third, ask())
    assert request.state == State.PENDING
    assert reject(people.third, ask(make_job("Other"))).state == State.REJECTED


def test_a_repository_has_rules_of_its_own(people, ask, job):
    changed(people, scope=job.repository_id, quorum=2)
    assert policies.in_force(None).quorum == 1
    request = ask()
    assert request.policy["quorum"] == 2
    assert [policy.scope for policy in policies.all_in_force()] == [None, job.repository]


def test_new_rules_of_a_repository_end_only_what_touches_it(people, ask, job):
    pending = ask()
    elsewhere = Repository.objects.create(name="Elsewhere", location="/nowhere")
    changed(people, scope=elsewhere.pk, quorum=2)
    assert deadlines.end_outdated() == 0
    changed(people, scope=job.repository_id, quorum=2)
    assert deadlines.end_outdated() == 1
    pending.refresh_from_db()
    assert pending.state == State.STALE


def test_an_unknown_repository_is_not_found(people):
    with pytest.raises(NotFound):
        change(people, scope=people.dpo.pk, quorum=2)


def test_p7_one_open_request_a_scope(people):
    """P7"""
    change(people, quorum=2)
    with pytest.raises(OpenRequestExists):
        change(people, decide_days=2)


def test_p5_other_rules_in_between_make_it_stale(people):
    """P5"""
    request = approve(people.dpo, change(people, quorum=2))
    new_policy(decide_days=9)
    assert work(request).state == State.STALE


def test_p5_forged_rules_are_not_put_into_force(people):
    """P5: the worker reads the statement that was signed."""
    request = approve(people.dpo, change(people, quorum=2))
    forged = bytes(request.statement).replace(b'"quorum":2', b'"quorum":1')
    forge("approvals_approvalrequest", request.pk, statement=forged)
    assert work(request).state == State.STALE
    assert policies.in_force(None).number == 1


def test_a_changed_procedure_is_a_new_version(people):
    version = policies.in_force(None).procedure_version
    policy = changed(people, procedure_questions=["Why?"])
    assert policy.procedure_version == version + 1
    assert changed(people, decide_days=5).procedure_version == version + 1
