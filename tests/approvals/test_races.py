"""P7, P11, P12: two at once, on two real connections of PostgreSQL."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts.services.stepup import StepUp
from approvals.errors import AlreadyVoted, NotPending, OpenRequestExists, Refused
from approvals.models import ApprovalRequest, State, Vote
from approvals.services import attesting, decisions, execution, requests
from audit.models import Entry, Outbox
from encryption.models import Attestation, Rekey
from encryption.services import steps
from tests.accounts import factories
from tests.approvals.conftest import approve, new_policy, sign_roster, step_up, suspend, wish

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run each act in a thread with a connection of its own, all at once; return results or refusals."""
    barrier, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=10)
            results[place] = act()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def decide(user: Any, request: ApprovalRequest, verdict: str, given: StepUp) -> Callable[[], Any]:
    """One decision whose step-up was begun before."""
    act = decisions.approve if verdict == "approve" else decisions.reject
    comment = "" if verdict == "approve" else "Not now."
    return lambda: act(
        request.pk, by=user, digest=request.digest, step_up=given, comment=comment, interactive=True
    )


def by_password(user: Any, request: ApprovalRequest) -> StepUp:
    """A step-up by password, so that two of one person do not fail over one code."""
    begun = decisions.challenge(
        request.pk, by=user, verdict="approve", digest=request.digest, interactive=True
    )
    return StepUp(begun["nonce"], password=factories.PASSWORD)


def refusals(results: list[Any]) -> list[type]:
    """The kinds of the errors among the results."""
    return [type(result) for result in results if isinstance(result, Exception)]


def test_p7_a_double_vote_is_one_vote(people, ask):
    """P7"""
    new_policy(mfa_required=False, quorum=2)
    request = ask()
    acts = [decide(people.dpo, request, "approve", by_password(people.dpo, request)) for _ in range(2)]
    assert refusals(at_once(*acts)) == [AlreadyVoted]
    assert Vote.objects.count() == 1


def test_p7_two_last_votes_are_one_transition(people, ask):
    """P7"""
    request = ask()
    acts = [
        decide(user, request, "approve", step_up(user, request, "approve"))
        for user in (people.dpo, people.ciso)
    ]
    assert refusals(at_once(*acts)) == [NotPending]
    assert Entry.objects.filter(event="request.approved").count() == 1
    assert Outbox.objects.filter(name="approvals.execute").count() == 1


def test_p7_the_last_two_votes_of_a_quorum_both_count(people, ask):
    """P7: neither overlooks the other."""
    new_policy(quorum=2)
    request = ask()
    acts = [
        decide(user, request, "approve", step_up(user, request, "approve"))
        for user in (people.dpo, people.ciso)
    ]
    assert refusals(at_once(*acts)) == []
    request.refresh_from_db()
    assert request.state == State.APPROVED
    assert Entry.objects.filter(event="request.approved").count() == 1


def test_p7_yes_against_no_is_one_end(people, ask):
    """P7: a rejection that was committed first is never overtaken."""
    request = ask()
    results = at_once(
        decide(people.dpo, request, "approve", step_up(people.dpo, request, "approve")),
        decide(people.ciso, request, "reject", step_up(people.ciso, request, "reject", "Not now.")),
    )
    assert refusals(results) == [NotPending]
    assert Vote.objects.count() == 1


def test_p7_a_vote_against_a_withdrawal_is_one_end(people, ask):
    """P7"""
    request = ask()
    results = at_once(
        decide(people.dpo, request, "approve", step_up(people.dpo, request, "approve")),
        lambda: requests.withdraw(request.pk, by=people.operator, digest=request.digest),
    )
    assert refusals(results) == [NotPending]
    request.refresh_from_db()
    assert (request.state == State.WITHDRAWN) == (Vote.objects.count() == 0)


def test_p7_two_requests_for_one_target_are_one(people, job):
    """P7"""
    fields = [wish(job), wish(job)]
    results = at_once(
        *(
            lambda given=given: requests.ask("activate_encryption", by=people.operator, **given)
            for given in fields
        )
    )
    assert refusals(results) == [OpenRequestExists]
    assert ApprovalRequest.objects.count() == 1


def test_p7_numbers_are_never_given_twice(people, make_job):
    """P7"""
    jobs = [make_job(f"Job {number}") for number in range(4)]
    fields = [wish(one) for one in jobs]
    results = at_once(
        *(
            lambda given=given: requests.ask("activate_encryption", by=people.operator, **given)
            for given in fields
        )
    )
    assert len({result.number for result in results}) == 4


def test_p11_two_deliveries_of_execute_begin_one_rekey(people, ask):
    """P11"""
    sign_roster(people)
    request = approve(people.dpo, ask())
    results = at_once(*[lambda: execution.execute(request.pk)] * 2)
    assert refusals(results) == []
    assert Rekey.objects.count() == 1
    request.refresh_from_db()
    assert request.state == State.APPROVED


def test_p12_two_deliveries_of_the_end_attest_once(people, ask):
    """P12"""
    sign_roster(people)
    request = approve(people.dpo, ask())
    execution.execute(request.pk)
    request.refresh_from_db()
    steps.run_step(request.rekey.steps.get().pk)
    results = at_once(*[lambda: attesting.rekey_ended(request.rekey_id)] * 2)
    assert refusals(results) == []
    assert Attestation.objects.count() == 1
    assert Entry.objects.filter(event="request.executed").count() == 1


def test_p5_an_approval_against_a_lost_seat_is_never_executed_on_it(people, ask):
    """P5: whichever comes first, the worker's count is under the lock."""

    from django.db import transaction

    from accounts.models import SecurityRole

    sign_roster(people)
    request = approve(people.dpo, ask())

    def leave() -> None:
        with transaction.atomic():
            SecurityRole.objects.select_for_update().get(pk=1)
            suspend(people.dpo)

    results = at_once(leave, lambda: execution.execute(request.pk))
    assert not [result for result in results if isinstance(result, Refused)]
    request.refresh_from_db()
    begun = Rekey.objects.count() == 1
    assert begun == (request.state == State.APPROVED)
    assert begun != (request.state == State.STALE)
