"""The second voice of every refusal: deciding over HTTP, by sessions, CSRF and tokens (P1, P5 to P8, P12)."""

import json
from datetime import timedelta

import pytest
import time_machine

from approvals.models import State, Vote
from audit.models import Entry
from tests.accounts import factories
from tests.approvals.conftest import fresh_code, new_policy, reject, suspend
from tests.approvals.http import BASE, Browser, bearer, code

pytestmark = pytest.mark.django_db


def test_a_member_of_security_approves(people, pending):
    answer = Browser(people.ciso).decide(pending)
    assert answer.status_code == 200, answer.content
    assert answer.json()["state"] == "approved"
    assert answer.json()["votes"][0]["who"] == "Carl · Security · CISO"


def test_a_member_of_security_rejects(people, pending):
    answer = Browser(people.dpo).decide(pending, "reject", comment="Not during the audit.")
    assert answer.json()["state"] == "rejected"


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("operator", (403, "own_request")),
        ("second_account", (403, "own_request")),
        ("superuser", (403, "not_eligible")),
        ("auditor", (403, "not_eligible")),
        ("nobody", (404, "not_found")),
    ],
)
@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_p1_who_may_not_decide_is_told_so(people, pending, who, expected, verdict):
    """P1"""
    user = getattr(people, who)
    if not user.authenticator_set.exists():
        factories.add_totp(user)
    assert code(Browser(user).decide(pending, verdict, comment="Mine.")) == expected
    pending.refresh_from_db()
    assert pending.state == State.PENDING
    assert not Vote.objects.exists()


def test_p1_a_security_member_is_refused_on_their_own(people, ask):
    """P1"""
    request = ask(by=people.dpo)
    assert code(Browser(people.dpo).decide(request)) == (403, "own_request")


def test_p12_a_refused_decision_is_one_entry(people, pending):
    """P12"""
    Browser(people.operator).challenge(pending)
    entry = Entry.objects.order_by("-sequence").first()
    assert (entry.event, entry.facts["code"]) == ("attempt.refused", "own_request")
    assert entry.subject_id == str(pending.pk)


@pytest.mark.parametrize("act", ["challenge", "approve", "reject"])
@pytest.mark.parametrize("who", ["dpo", "service", "operator"])
def test_p8_a_token_never_decides(people, pending, who, act):
    """P8"""
    client = bearer(getattr(people, who))
    body = {"digest": pending.digest, "comment": "x", "nonce": "n", "step_up": {"totp": "000000"}}
    if act == "challenge":
        body = {"digest": pending.digest, "verdict": "approve"}
    assert code(client.post(f"{BASE}{pending.pk}/{act}/", body, format="json")) == (
        403,
        "interactive_required",
    )


@pytest.mark.parametrize("act", ["challenge", "approve", "reject", "withdraw"])
def test_p8_a_session_without_its_csrf_token_does_nothing(people, pending, act):
    """P8"""
    browser = Browser(people.dpo, csrf=False)
    answer = browser.post(f"{BASE}{pending.pk}/{act}/", {"verdict": "approve", "digest": pending.digest})
    assert answer.status_code == 403
    assert not Vote.objects.exists()


def test_p8_a_form_of_another_site_is_not_json(people, pending):
    """P8"""
    browser = Browser(people.dpo)
    browser.client.cookies["csrftoken"] = "x" * 32
    answer = browser.client.post(
        f"{BASE}{pending.pk}/challenge/",
        json.dumps({"verdict": "approve", "digest": pending.digest}),
        content_type="text/plain",
        headers={"x-csrftoken": "x" * 32},
    )
    assert answer.status_code == 415


def test_p8_a_decision_without_a_challenge_needs_step_up(people, pending):
    """P8"""
    answer = Browser(people.dpo).decide(pending, nonce="forged")
    assert code(answer) == (401, "step_up_required")


def test_p8_a_used_nonce_does_not_do_again(people, ask):
    """P8"""
    new_policy(quorum=2)
    request = ask()
    browser = Browser(people.dpo)
    nonce = browser.challenge(request).json()["nonce"]
    wrong = {"digest": request.digest, "nonce": nonce, "step_up": {"totp": "000000"}}
    right = wrong | {"step_up": {"totp": fresh_code(people.dpo)}}
    assert code(browser.post(f"{BASE}{request.pk}/approve/", wrong)) == (401, "step_up_required")
    assert code(browser.post(f"{BASE}{request.pk}/approve/", right)) == (401, "step_up_required")


def test_p8_two_factors_are_none(people, pending):
    """P8"""
    answer = Browser(people.dpo).decide(pending, step_up={"totp": "000000", "password": "x"})
    assert code(answer) == (401, "step_up_required")


def test_p5_another_digest_is_refused(people, pending):
    """P5"""
    assert code(Browser(people.dpo).challenge(pending, digest="0" * 64)) == (409, "digest_mismatch")


def test_p5_a_decision_has_no_payload(people, pending):
    """P5: whoever decides cannot edit."""
    answer = Browser(people.dpo).decide(pending, statement={"reason": "other"})
    assert code(answer) == (400, "invalid")


def test_p7_a_second_vote_is_refused(people, ask):
    """P7"""
    new_policy(quorum=2)
    request = ask()
    browser = Browser(people.dpo)
    browser.decide(request)
    assert code(browser.decide(request)) == (409, "already_voted")


def test_a_decided_request_is_not_decided_again(people, pending):
    reject(people.ciso, pending)
    assert code(Browser(people.dpo).decide(pending)) == (409, "not_pending")


def test_p6_an_expired_request_is_not_decided(people, pending):
    """P6"""
    browser = Browser(people.dpo)
    with time_machine.travel(pending.decide_by + timedelta(seconds=1)):
        browser.client.force_login(people.dpo)
        assert browser.get(f"{BASE}{pending.pk}/").json()["state"] == "expired"
        assert code(browser.challenge(pending)) == (409, "expired")


def test_a_rejection_needs_a_comment(people, pending):
    assert code(Browser(people.dpo).decide(pending, "reject")) == (400, "invalid")


def test_p1_a_lost_seat_is_lost_for_a_live_session(people, pending):
    """P1, P6: live membership."""
    browser = Browser(people.dpo)
    suspend(people.dpo)
    assert browser.decide(pending).status_code in (403, 404)


def test_a_comment_that_says_approved_approves_nothing(people, pending):
    Browser(people.operator).challenge(pending, comment="/approve LGTM approved")
    pending.refresh_from_db()
    assert pending.state == State.PENDING


def test_the_asker_withdraws_with_a_token_too(people, pending):
    answer = bearer(people.service).post(
        f"{BASE}{pending.pk}/withdraw/", {"digest": pending.digest}, format="json"
    )
    assert answer.json()["state"] == "withdrawn"


def test_another_person_does_not_withdraw(people, pending):
    answer = Browser(people.administrator).post(f"{BASE}{pending.pk}/withdraw/", {"digest": pending.digest})
    assert code(answer) == (403, "not_eligible")


def test_a_decided_request_is_not_withdrawn(people, pending):
    reject(people.ciso, pending)
    answer = Browser(people.operator).post(f"{BASE}{pending.pk}/withdraw/", {"digest": pending.digest})
    assert code(answer) == (409, "not_pending")
