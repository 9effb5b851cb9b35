"""P11: a worker that was stopped past its lease and wakes up writes nothing any more (fencing)."""

import os
import signal
from collections import Counter

import pytest
import time_machine
from django.db import connection, connections
from django.utils import timezone

from audit.queue import Task
from audit.services import verification
from encryption import selectors
from encryption.engines.native import batches, folder
from encryption.models import JobSession, RekeyJob, RestorePoint
from encryption.services import backups
from tests.encryption.conftest import FIRST, SECOND, Bench, make_bench
from tests.faults.launcher import Fault, wrapped
from tests.faults.shelf import fill, opened_by
from tests.faults.worker import LONG_ENOUGH, deliver, recover, waiting

pytestmark = pytest.mark.django_db(transaction=True)


class Pause(Fault):
    """The process stops here until somebody wakes it."""

    def strike(self) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)


@pytest.fixture
def bench(transactional_db, vsec_home, tmp_path, monkeypatch) -> Bench:
    """An activated job with some hundred lines; who meets a lock says so at once."""
    bench = make_bench(vsec_home, tmp_path, full_every=1)
    bench.rekey("activate", FIRST)
    bench.run()
    fill(bench, 300)
    work(Task.REKEY_JOB, Task.BACKUP)
    # Five lines at a time, so that there is a middle to be stopped in.
    monkeypatch.setattr(batches, "_STRETCH", 1000)
    patient = folder.wait_for_lock
    monkeypatch.setattr(folder, "wait_for_lock", lambda fd, wait, refusal: patient(fd, 0.1, refusal))
    return bench


def work(*tasks: Task) -> None:
    for row in waiting(*tasks):
        deliver(row)


def stopped(task: Task, pause: Pause) -> int:
    """Start a worker of its own on a task and return it stopped at the pause."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            with wrapped(pause.place, pause, Counter()):
                work(task)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, os.WUNTRACED)
    assert os.WIFSTOPPED(status), "the worker ended before its pause"
    return child


def woken(child: int) -> None:
    """Wake a stopped worker and wait for its end."""
    os.kill(child, signal.SIGCONT)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def another(task: Task) -> None:
    """A second worker, once the lease of the first has run out."""
    with time_machine.travel(timezone.now() + LONG_ENOUGH):
        work(task)


def content(bench: Bench) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in bench.folder.iterdir()}


@pytest.mark.parametrize(
    ("pause", "holds_the_lock"),
    [
        (Pause("commit", 3, after=True), False),
        (Pause("lines", 60), True),
        (Pause("fsync", 1), True),
        (Pause("lines", 180), True),
    ],
    ids=["after the intent", "while it writes", "before the sync", "while it proves"],
)
def test_a_rekey_that_was_paused_never_writes_again(bench, pause, holds_the_lock):
    """P11: whether it slept before, in the middle of or after its writing."""
    step = bench.order("change", SECOND).steps.get()
    before = bench.head()
    child = stopped(Task.REKEY_JOB, pause)
    try:
        another(Task.REKEY_JOB)
        # Who holds the folder's lock keeps the other waiting; who does not finds the work done.
        assert bench.head() == (before if holds_the_lock else step.new_fingerprint)
        seen = (bench.folder / "keyring").read_bytes()
    finally:
        woken(child)
    assert (bench.folder / "keyring").read_bytes() == seen
    recover(Task.REKEY_JOB)
    step.refresh_from_db()
    assert (step.state, bench.head()) == (RekeyJob.State.SUCCEEDED, step.new_fingerprint)
    opened, lines = opened_by(bench, selectors.current_version(bench.job.pk))
    assert opened == lines
    assert verification.verify().findings == ()


@pytest.mark.parametrize(("place", "number"), [("write", 1), ("write", 3), ("fsync", 1)])
def test_a_backup_that_was_paused_leaves_one_restore_point(bench, place, number):
    """P11: two workers, one session, one restore point; what the sleeper wrote is nobody's and goes."""
    session = backups.start_backup(bench.job.pk, by=bench.user)
    child = stopped(Task.BACKUP, Pause(place, number))
    try:
        another(Task.BACKUP)
    finally:
        woken(child)
    recover(Task.BACKUP)
    session.refresh_from_db()
    assert session.state == JobSession.State.SUCCEEDED
    assert RestorePoint.objects.filter(session=session).count() == 1
    real = RestorePoint.objects.filter(session__isnull=False).values_list("pk", flat=True)
    assert {path.stem for path in bench.folder.glob("*.vsb")} == {str(pk) for pk in real}
    assert not list(bench.folder.glob("*.part"))


def test_who_sleeps_in_a_transaction_holds_nobody_up(bench, monkeypatch):
    """P11: the database ends a transaction in which nothing happens, with all that it holds."""
    monkeypatch.setitem(
        connection.settings_dict["OPTIONS"], "options", "-c idle_in_transaction_session_timeout=500"
    )
    step = bench.order("change", SECOND).steps.get()
    child = stopped(Task.REKEY_JOB, Pause("commit", 3))
    try:
        another(Task.REKEY_JOB)
        step.refresh_from_db()
        assert step.state == RekeyJob.State.SUCCEEDED
        after = content(bench)
    finally:
        woken(child)
    assert content(bench) == after
    assert verification.verify().findings == ()


def test_two_workers_with_one_message_make_one_change(bench):
    """P11: the same message delivered while another works on it, and once more after its end."""
    step = bench.order("change", SECOND).steps.get()
    (row,) = waiting(Task.REKEY_JOB)
    child = stopped(Task.REKEY_JOB, Pause("lines", 10))
    deliver(row)
    step.refresh_from_db()
    assert (step.state, step.fence) == (RekeyJob.State.RUNNING, 1)
    woken(child)
    after = content(bench)
    deliver(row)
    step.refresh_from_db()
    assert (step.state, step.fence, content(bench) == after) == (RekeyJob.State.SUCCEEDED, 1, True)
