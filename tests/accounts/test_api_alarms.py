"""Alarms over the API."""

from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Role, User
from accounts.services import users
from audit import services as audit
from audit.alarms import Kind
from audit.models import Alarm
from tests.accounts.factories import make_user

pytestmark = pytest.mark.django_db
URL = "/api/v1/alarms/"


def raised(kind: Kind = Kind.DRIFT) -> Alarm:
    subject = ("encryption.job", uuid4())
    with audit.act(by=audit.WORKER, subject=subject):
        return audit.raise_alarm_within(kind, subject, Alarm.Severity.CRITICAL, "Another keyring.")


def client(user: User) -> Client:
    token = users.create_token(user=user, name="t", days=1, scopes=["api"], by=user)
    return Client(HTTP_HOST="localhost:8000", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def operator() -> User:
    return make_user("olga", role=Role.OPERATOR)


def test_an_alarm_says_what_it_means_and_what_helps(operator):
    alarm = raised()
    [found] = client(operator).get(URL).json()["results"]
    assert (found["id"], found["kind"], found["state"]) == (str(alarm.pk), "drift", "raised")
    assert (found["title"], found["todo"]) == (Kind.DRIFT.heading, Kind.DRIFT.todo)
    assert found["subject"] == {"type": "encryption.job", "id": alarm.subject_id}
    assert client(operator).get(f"{URL}{alarm.pk}/").json() == found


@pytest.mark.parametrize(
    ("query", "count"),
    [("", 2), ("?state=open", 2), ("?state=acknowledged", 0), ("?kind=drift", 1), ("?state=resolved", 0)],
)
def test_alarms_are_narrowed(operator, query, count):
    raised()
    raised(Kind.JOB_FAILED)
    assert len(client(operator).get(URL + query).json()["results"]) == count


def test_a_state_that_is_none_is_refused(operator):
    assert client(operator).get(f"{URL}?state=strange").status_code == 400


def test_a_person_takes_it_on_by_token(operator):
    answer = client(operator).post(
        f"{URL}{raised().pk}/acknowledge/", {"note": "I look."}, content_type="application/json"
    )
    assert answer.status_code == 200
    found = answer.json()
    assert (found["state"], found["note"]) == ("acknowledged", "I look.")
    assert found["acknowledged_by"] == str(operator.pk)


def test_a_service_account_takes_none_on():
    robot = make_user("robot", role=Role.SERVICE, is_human=False)
    answer = client(robot).post(f"{URL}{raised().pk}/acknowledge/", {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_eligible")


def test_an_alarm_that_is_not_there_is_404(operator):
    missing = f"{URL}{uuid4()}/acknowledge/"
    assert client(operator).post(missing, {}, content_type="application/json").status_code == 404


@pytest.mark.parametrize(("severity", "count"), [("high", 1), ("critical", 0), ("info", 1)])
def test_entries_are_narrowed_by_severity(severity, count):
    auditor = make_user("audrey", role=Role.AUDITOR)
    raised()
    found = client(auditor).get(f"/api/v1/audit/entries/?severity={severity}&event=alarm.").json()["results"]
    assert len(found) == count
    assert all((one["severity"], one["veeam"]) == ("high", None) for one in found)
