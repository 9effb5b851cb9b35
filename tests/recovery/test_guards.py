"""Both master keys under a guard: a lost password comes back, and an outage of the guard loses nothing."""

from pathlib import Path

import pytest

from approvals.models import State
from audit.queue import Task
from encryption import selectors
from encryption.models import JobSession, RestorePoint
from encryption.services import backups, runs
from recovery.services import answers, cases
from tests.approvals.conftest import approve
from tests.guards.fixtures import guard, kmip, kmip_server, softhsm  # noqa: F401
from tests.guards.waiting import deliver

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def guarded(guard, monkeypatch):  # noqa: F811
    """Before any key is made, the guard is named."""
    monkeypatch.setenv("VEEAMSEC_KEYS", guard.address)


def master_files(home) -> list[bytes]:
    return [(home.keys / process / "master.key").read_bytes() for process in ("worker", "enterprise")]


def test_a_lost_password_comes_back(people, enterprise, encrypted, decided, vsec_home, guard):  # noqa: F811
    """The eight steps, with no master key in clear on the disk."""
    assert all(text.startswith(b"veeamsec-master-2 ") for text in master_files(vsec_home))
    asked = cases.ask([encrypted.pk], by=people.operator, reason="Nobody knows it any more.", number="INC-7")
    cases.make_request(asked.pk)
    asked.refresh_from_db()
    received = answers.receive(cases.text_of(asked), by=enterprise, number="CASE-1")
    decided("recover_key", case=received.pk)
    received.refresh_from_db()
    cases.offer_response(asked.pk, answers.text_of(received), by=people.operator)
    cases.open_response(asked.pk)
    to = vsec_home.path / "restores" / "found"
    point = RestorePoint.objects.filter(job=encrypted).first()
    session = runs.start_restore(point.pk, to=str(to), case=asked.case, by=people.operator)
    backups.run_restore(session.pk)
    session.refresh_from_db()
    assert session.state == JobSession.State.SUCCEEDED, session.error
    assert (to / "a.txt").read_bytes() == (Path(encrypted.source) / "a.txt").read_bytes()


def test_an_outage_loses_no_request(people, ask, job, roster, guard):  # noqa: F811
    """Deciding works meanwhile; what was decided is done when the guard is back."""
    guard.away()
    request = ask()
    request = approve(people.dpo, request)
    assert request.state == State.APPROVED
    assert [row.done_at for row in deliver(Task.EXECUTE)] == [None]
    request.refresh_from_db()
    assert (request.state, request.rekey) == (State.APPROVED, None)
    assert request.sealed_secret is not None
    guard.back()
    deliver(Task.EXECUTE)
    deliver(Task.REKEY_JOB)
    job.refresh_from_db()
    assert job.password is not None
    assert selectors.current_version(job.pk) is not None
