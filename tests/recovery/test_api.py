"""Recovery and custody over REST."""

import pytest
from rest_framework.test import APIClient

from recovery.models import CustodyProof, CustodyRecord, RecoveryCase
from recovery.services import answers, cases, custody
from tests.approvals.conftest import SECRET
from tests.recovery.conftest import obeyed

pytestmark = pytest.mark.django_db
API = "/api/v1"


def client_of(user) -> APIClient:
    """An API client signed in as somebody."""
    client = APIClient(HTTP_HOST="localhost:8000")
    client.force_authenticate(user)
    return client


def test_anonymous_gets_nothing():
    assert APIClient(HTTP_HOST="localhost:8000").get(f"{API}/keysets/").status_code == 401


@pytest.mark.parametrize("path", ["keysets", "backup-servers", "recovery-cases"])
def test_who_sees_no_passwords_sees_none_of_it(people, enterprise, path):
    assert client_of(people.nobody).get(f"{API}/{path}/").status_code == 403


def test_a_keyset_is_wished_for(enterprise):
    answer = client_of(enterprise).post(f"{API}/keysets/", {"suite": "x-wing", "description": "Winter"})
    assert answer.status_code == 202
    obeyed()
    [row] = client_of(enterprise).get(f"{API}/keysets/").data["results"]
    assert (row["id"], row["state"]) == (answer.data["id"], "inactive")


def test_an_operator_wishes_for_none(people, enterprise):
    answer = client_of(people.operator).post(f"{API}/keysets/", {"suite": "x-wing", "description": "Winter"})
    assert (answer.status_code, answer.data["code"]) == (403, "not_eligible")


def test_a_case_goes_both_ways_over_the_api(people, enterprise, encrypted, decided):
    operator, manager = client_of(people.operator), client_of(enterprise)
    made = operator.post(f"{API}/recovery-cases/", {"jobs": [str(encrypted.pk)], "reason": "Lost."})
    assert made.status_code == 201
    cases.make_request(RecoveryCase.objects.get().pk)
    text = operator.get(f"{API}/recovery-cases/{made.data['id']}/text/").data["text"]
    received = manager.post(f"{API}/recovery-cases/", {"text": text, "number": "C-1"})
    assert received.status_code == 201
    assert operator.get(f"{API}/recovery-cases/{received.data['id']}/text/").status_code in (403, 404)
    decided("recover_key", case=received.data["id"])
    response = manager.get(f"{API}/recovery-cases/{received.data['id']}/text/").data["text"]
    taken = operator.post(f"{API}/recovery-cases/{made.data['id']}/response/", {"text": response})
    assert taken.status_code == 202
    cases.open_response(RecoveryCase.objects.get(side="backup").pk)
    assert RecoveryCase.objects.get(side="backup").state == "opened"
    again = operator.post(f"{API}/recovery-cases/{made.data['id']}/response/", {"text": response})
    assert (again.status_code, again.data["code"]) == (409, "replayed")


def test_a_text_of_another_kind_is_a_problem(enterprise):
    answer = client_of(enterprise).post(f"{API}/recovery-cases/", {"text": "hello", "number": "C-1"})
    assert (answer.status_code, answer.data["code"]) == (400, "invalid")


def test_a_custodian_proves_over_the_api(people, encrypted):
    record = CustodyRecord.objects.first()
    custody.assign(record.pk, person=people.nobody.person_id, by=people.dpo)
    client = client_of(people.nobody)
    assert [row["id"] for row in client.get(f"{API}/custody/").data["results"]] == [str(record.pk)]
    answer = client.post(f"{API}/custody/{record.pk}/prove/", {"password": SECRET})
    assert (answer.status_code, answer.data["found"]) == (202, "waiting")
    custody.judge(CustodyProof.objects.get().pk)
    assert CustodyProof.objects.get().found == "equal"


def test_the_answer_is_for_the_enterprise_alone(people, enterprise, encrypted, decided):
    case = cases.ask([encrypted.pk], by=people.operator, reason="Lost.")
    cases.make_request(case.pk)
    case.refresh_from_db()
    received = answers.receive(cases.text_of(case), by=enterprise, number="C-1")
    decided("recover_key", case=received.pk)
    assert client_of(people.auditor).get(f"{API}/recovery-cases/{received.pk}/text/").status_code == 403
