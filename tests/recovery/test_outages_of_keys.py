"""While a guard is away, nothing fails open and nothing is lost; people hear of it."""

from pathlib import Path

import pytest

from approvals.models import State
from approvals.services import requests
from audit.models import Alarm
from audit.queue import Task
from encryption import selectors
from encryption.models import JobSession, RestorePoint
from encryption.services import backups, drift, guarding
from recovery.models import EnterpriseTask, Keyset, RecoveryCase
from recovery.services import answers, cases, keysets
from tests.approvals.conftest import approve, work
from tests.guards.fixtures import softhsm  # noqa: F401
from tests.guards.waiting import deliver

pytestmark = pytest.mark.django_db


@pytest.fixture
def guard(softhsm):  # noqa: F811
    """How a task waits is the same for each."""
    return softhsm


@pytest.fixture(autouse=True)
def guarded(guard, monkeypatch):
    """Before any key is made, the guard is named."""
    monkeypatch.setenv("VEEAMSEC_KEYS", guard.address)


def alarms() -> set[str]:
    raised = Alarm.objects.filter(kind="kms.away", state="raised")
    return set(raised.values_list("subject_type", flat=True))


def watch() -> None:
    guarding.watch_worker()
    guarding.watch_enterprise()


def test_without_the_enterprise_workers_guard_nothing_is_answered(
    people,
    enterprise,
    encrypted,
    decided,
    guard,
):
    """The task stays as it was asked; once the guard is back, it is answered by itself."""
    asked = cases.ask([encrypted.pk], by=people.operator, reason="Lost.", number="INC-8")
    cases.make_request(asked.pk)
    asked.refresh_from_db()
    received = answers.receive(cases.text_of(asked), by=enterprise, number="CASE-2")
    request = requests.ask("recover_key", by=enterprise, reason="As the plan says.", case=received.pk)
    approve(people.dpo, request)
    assert work(request).state == State.EXECUTED
    guard.away()
    rows = deliver(Task.ENTERPRISE)
    assert (rows[-1].done_at, rows[-1].failures) == (None, 0)
    assert EnterpriseTask.objects.filter(action="answer", state="open").count() == 1
    guard.back()
    deliver(Task.ENTERPRISE)
    assert RecoveryCase.objects.get(pk=received.pk).state == "answered"


def test_a_run_waits_and_writes_nothing_in_clear(encrypted, guard, people):
    folder = Path(encrypted.repository.location) / str(encrypted.pk)
    before = sorted(path.name for path in folder.iterdir())
    session = backups.start_backup(encrypted.pk, by=people.operator)
    guard.away()
    row = deliver(Task.BACKUP)[-1]
    assert (row.done_at, row.failures) == (None, 0)
    session.refresh_from_db()
    assert session.state in JobSession.OPEN
    assert sorted(path.name for path in folder.iterdir()) == before
    guard.back()
    deliver(Task.BACKUP)
    session.refresh_from_db()
    assert session.state == JobSession.State.SUCCEEDED, session.error
    assert RestorePoint.objects.get(session=session).storage_key is not None


def test_an_outage_is_no_drift(encrypted, guard):
    """A keyring that cannot be judged does not look changed."""
    guard.away()
    with pytest.raises(Exception, match="cannot be used"):
        drift.observe(encrypted.pk)
    assert not Alarm.objects.filter(kind="drift").exists()


def test_a_new_keyset_waits(enterprise, guard):
    guard.away()
    keysets.generate(by=enterprise, suite="x-wing", description="Winter")
    assert deliver(Task.ENTERPRISE)[-1].done_at is None
    assert not Keyset.objects.exists()
    guard.back()
    deliver(Task.ENTERPRISE)
    assert Keyset.objects.count() == 1


@pytest.mark.alarm("kms.away")
def test_an_alarm_for_each_process_that_ends_with_its_cause(enterprise, guard):
    watch()
    assert alarms() == set()
    guard.away()
    watch()
    watch()
    assert alarms() == {"keys.worker", "keys.enterprise"}
    assert Alarm.objects.filter(kind="kms.away").count() == 2
    guard.back()
    watch()
    assert alarms() == set()


def test_who_keeps_the_keys_is_said(enterprise, guard):
    assert selectors.keepers() == {"worker": None, "enterprise": None}
    watch()
    kind = guard.address.partition(":")[0]
    assert selectors.keepers() == {"worker": kind, "enterprise": kind}
