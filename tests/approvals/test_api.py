"""The second voice of every refusal: over HTTP, with sessions, CSRF and tokens (P1, P2, P5 to P9)."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import SecurityMember, User
from accounts.services import users
from approvals.models import ApprovalRequest, State, Vote
from audit.models import Entry
from tests.accounts import factories
from tests.approvals.conftest import CUSTODY, SECRET, answers, fresh_code, new_policy, reject

pytestmark = pytest.mark.django_db
BASE = "/api/v1/requests/"
HOST = {"host": "localhost:8000"}


class Browser:
    """A signed-in browser that keeps the session and sends the CSRF token."""

    def __init__(self, user: User, *, csrf: bool = True) -> None:
        self.user = user
        self.client = Client(enforce_csrf_checks=True, headers=HOST)
        self.client.force_login(user)
        self.csrf = csrf

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """POST JSON."""
        token = "x" * 32
        self.client.cookies["csrftoken"] = token
        sent = headers | ({"x-csrftoken": token, "origin": "http://localhost:8000"} if self.csrf else {})
        return self.client.post(path, json.dumps(body), content_type="application/json", headers=sent)

    def get(self, path: str) -> Any:
        """GET."""
        return self.client.get(path)

    def challenge(self, request: ApprovalRequest, verdict: str = "approve", **fields: Any) -> Any:
        """The first half of a decision."""
        body = {"verdict": verdict, "digest": request.digest} | fields
        return self.post(f"{BASE}{request.pk}/challenge/", body)

    def decide(
        self, request: ApprovalRequest, verdict: str = "approve", comment: str = "", **fields: Any
    ) -> Any:
        """Both halves, by code; where the first is refused, the second is tried all the same."""
        begun = self.challenge(request, verdict, comment=comment)
        nonce = begun.json().get("nonce", "none")
        body = {
            "digest": request.digest,
            "comment": comment,
            "nonce": nonce,
            "step_up": {"totp": fresh_code(self.user)},
        }
        return self.post(f"{BASE}{request.pk}/{verdict}/", body | fields)


def bearer(user: User) -> APIClient:
    """A client with a token of an account."""
    token = users.create_token(user=user, name="test", days=1, scopes=["api"], by=user)
    return APIClient(headers=HOST | {"authorization": f"Bearer {token}"})


def body_of(job: Any, **fields: Any) -> dict[str, Any]:
    """An activation, as a client sends it."""
    return {
        "kind": "activate_encryption",
        "reason": "The authority asks for it.",
        "jobs": [str(job.pk)],
        "new_password": SECRET,
        "hint": "Hall 2026",
        "custody": [CUSTODY],
        "answers": answers(),
    } | fields


def code(answer: Any) -> tuple[int, str]:
    """Status and problem code."""
    assert answer["content-type"].startswith("application/problem+json"), answer.content
    return answer.status_code, answer.json()["code"]


# --- asking -------------------------------------------------------------------


def test_a_token_asks(people, job):
    answer = bearer(people.service).post(BASE, body_of(job), format="json")
    assert answer.status_code == 201, answer.content
    assert answer.json()["state"] == "pending"
    assert answer.json()["asker"]["person"] == str(people.operator.person_id)


def test_the_answer_has_the_shape_that_clients_rely_on(people, job):
    answer = Browser(people.operator).post(BASE, body_of(job)).json()
    assert answer.keys() >= {
        "id",
        "number",
        "kind",
        "state",
        "asker",
        "statement",
        "digest",
        "targets",
        "consequences",
        "votes",
        "decide_by",
        "execute_by",
        "rekey",
        "badge",
    }


def test_the_statement_in_the_answer_has_the_digest(people, job):
    import hashlib

    import rfc8785

    answer = Browser(people.operator).post(BASE, body_of(job)).json()
    assert hashlib.sha256(rfc8785.dumps(answer["statement"])).hexdigest() == answer["digest"]


def test_p9_no_answer_holds_the_password(people, job):
    """P9"""
    browser = Browser(people.operator)
    made = browser.post(BASE, body_of(job))
    shown = browser.get(f"{BASE}{made.json()['id']}/")
    evidence = browser.get(f"{BASE}{made.json()['id']}/evidence/")
    assert SECRET.encode() not in made.content + shown.content + evidence.content


def test_p9_a_refused_password_is_not_sent_back(people, job):
    """P9"""
    answer = Browser(people.operator).post(BASE, body_of(job, new_password="Passwort1234"))
    assert code(answer) == (400, "invalid")
    assert b"Passwort1234" not in answer.content


def test_a_repeated_key_asks_once(people, job):
    client = bearer(people.service)
    first, second = (
        client.post(BASE, body_of(job), format="json", headers={"idempotency-key": "k1"}) for _ in range(2)
    )
    assert first.json()["id"] == second.json()["id"]
    assert ApprovalRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"kind": "approve_all"}, (400, "invalid")),
        ({"jobs": []}, (400, "invalid")),
        ({"jobs": ["not-a-uuid"]}, (400, "invalid")),
        ({"jobs": [str(uuid.UUID(int=5))]}, (404, "not_found")),
        ({"custody": []}, (400, "invalid")),
        ({"answers": []}, (400, "invalid")),
        ({"state": "approved"}, (400, "invalid")),
        ({"asker": "somebody"}, (400, "invalid")),
        ({"on_behalf_of": "somebody"}, (400, "invalid")),
        ({"policy": {"quorum": 0}}, (400, "invalid")),
        ({"new_password": "a\ud800" + "b" * 20}, (400, "invalid")),
        ({"new_password": "x" * 5000}, (400, "invalid")),
    ],
)
def test_a_question_that_is_none_is_refused(people, job, fields, expected):
    assert code(Browser(people.operator).post(BASE, body_of(job, **fields))) == expected
    assert not ApprovalRequest.objects.exists()


def test_an_auditor_does_not_ask(people, job):
    assert code(Browser(people.auditor).post(BASE, body_of(job))) == (403, "not_eligible")


def test_p7_one_open_request_a_target(people, job, pending):
    """P7"""
    answer = Browser(people.operator).post(BASE, body_of(job))
    assert code(answer) == (409, "open_request_exists")


def test_p3_nothing_is_asked_while_security_is_too_small(people, job):
    """P3"""
    others = SecurityMember.objects.filter(user__in=[people.ciso, people.third])
    others.update(suspended_at=datetime.now(UTC))
    answer = Browser(people.operator).post(BASE, body_of(job))
    assert code(answer) == (409, "security_role_too_small")


# --- reading ------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "procedure/", f"{uuid.UUID(int=1)}/", f"{uuid.UUID(int=1)}/evidence/"])
def test_nobody_reads_nothing(db, path):
    assert Client(headers=HOST).get(BASE + path).status_code == 401


def test_nobody_cannot_tell_a_request_from_none(people, pending):
    nobody = Client(headers=HOST)
    there, not_there = nobody.get(f"{BASE}{pending.pk}/"), nobody.get(f"{BASE}{uuid.uuid4()}/")
    assert (there.status_code, there.json()["code"]) == (not_there.status_code, not_there.json()["code"])


@pytest.mark.parametrize("who", ["operator", "administrator", "dpo", "auditor", "second_account", "service"])
def test_who_may_know_of_it_reads_it(people, pending, who):
    assert Browser(getattr(people, who)).get(f"{BASE}{pending.pk}/").status_code == 200


def test_who_has_no_role_does_not_learn_of_it(people, pending):
    browser = Browser(people.nobody)
    assert code(browser.get(f"{BASE}{pending.pk}/")) == (404, "not_found")
    assert browser.get(BASE).json()["results"] == []


def test_the_list_can_be_narrowed(people, pending):
    browser = Browser(people.auditor)
    assert len(browser.get(f"{BASE}?state=pending").json()["results"]) == 1
    assert browser.get(f"{BASE}?state=executed").json()["results"] == []


def test_the_procedure_is_told_before_one_asks(people):
    answer = Browser(people.operator).get(f"{BASE}procedure/").json()
    assert len(answer["procedure_questions"]) == 4


def test_the_reader_is_told_why_not(people, pending):
    answer = Browser(people.operator).get(f"{BASE}{pending.pk}/").json()
    assert answer["obstacle"]["code"] == "own_request"
    assert any("Dora" in name for name in answer["deciders"])


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_nothing_is_edited(people, pending, method):
    browser = Browser(people.administrator)
    browser.client.cookies["csrftoken"] = "x" * 32
    answer = getattr(browser.client, method)(
        f"{BASE}{pending.pk}/",
        json.dumps({"state": "approved"}),
        content_type="application/json",
        headers={"x-csrftoken": "x" * 32},
    )
    assert answer.status_code == 405


# --- deciding -----------------------------------------------------------------


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
    SecurityMember.objects.filter(user=people.dpo).update(suspended_at=datetime.now(UTC))
    assert browser.decide(pending).status_code in (403, 404)


def test_a_comment_that_says_approved_approves_nothing(people, pending):
    Browser(people.operator).challenge(pending, comment="/approve LGTM approved")
    pending.refresh_from_db()
    assert pending.state == State.PENDING


# --- withdrawing --------------------------------------------------------------


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
