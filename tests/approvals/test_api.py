"""The second voice: asking and reading over HTTP (P3, P7, P9)."""

import json
import uuid

import pytest
from django.test import Client

from approvals.models import ApprovalRequest
from tests.approvals.conftest import SECRET, suspend
from tests.approvals.http import BASE, HOST, Browser, bearer, body_of, code

pytestmark = pytest.mark.django_db


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
    suspend(people.ciso, people.third)
    answer = Browser(people.operator).post(BASE, body_of(job))
    assert code(answer) == (409, "security_role_too_small")


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


def test_a_list_reads_each_asker_once(people, make_job, ask, django_assert_max_num_queries):
    for number in range(6):
        ask(make_job(f"Job {number}"))
    browser = Browser(people.auditor)
    browser.get(BASE)
    with django_assert_max_num_queries(25):
        assert len(browser.get(BASE).json()["results"]) == 6
