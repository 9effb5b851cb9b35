"""The outbox: work happens once though bells are lost, doubled, forged or come while somebody is at it."""

import threading
import time
from datetime import timedelta
from uuid import uuid4

import celery
import pytest
from celery.canvas import Signature
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from audit import queue
from audit import services as audit
from audit.errors import Later, LeaseLost, Refused
from audit.events import Event
from audit.models import Entry, Outbox
from audit.queue import Task

from .outbox import LEASE, die, ring, run

pytestmark = pytest.mark.django_db


def test_bell_rings_on_commit(bells, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        row = ring()
    assert bells == [(Task.BACKUP, row.pk)]


@pytest.mark.django_db(transaction=True)
def test_bell_of_a_change_that_was_rolled_back_is_silent(bells):
    with transaction.atomic():
        queue.ring(Task.BACKUP, uuid4())
        transaction.set_rollback(True)
    assert (bells, Outbox.objects.count()) == ([], 0)


@pytest.mark.django_db(transaction=True)
def test_ring_outside_a_transaction_is_a_programming_error():
    with pytest.raises(TransactionManagementError):
        queue.ring(Task.BACKUP, uuid4())


def test_bell_of_later_work_waits(bells, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        ring(due=timezone.now() + timedelta(hours=1))
    assert bells == []


def test_message_is_a_registered_name_and_one_uuid(monkeypatch):
    sent, row = [], uuid4()
    monkeypatch.setattr(
        Signature, "apply_async", lambda self, **kw: sent.append((self.task, list(self.args)))
    )
    queue.bell(Task.BACKUP, row)
    assert sent == [("encryption.backup", [str(row)])]


def test_broker_that_is_away_is_no_error_and_no_wait():
    lost = celery.Celery(broker="redis+socket:///nowhere/valkey.sock", set_as_current=False)
    lost.conf.broker_transport_options = celery.current_app.conf.broker_transport_options
    began = time.monotonic()
    signature = lost.signature("encryption.backup", args=[str(uuid4())])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(celery, "signature", lambda *args, **kwargs: signature)
        queue.bell(Task.BACKUP, uuid4())
    assert time.monotonic() - began < 1


def test_work_gets_its_reference_and_is_done():
    row, seen = ring(), []
    run(row, seen.append)
    row.refresh_from_db()
    assert seen == [row.ref]
    assert row.done_at


def test_second_bell_of_done_work_does_nothing():
    row, seen = ring(), []
    run(row, seen.append)
    run(row, seen.append)
    assert len(seen) == 1


def test_bell_while_somebody_is_at_it_does_nothing():
    row, seen = ring(), []
    run(row, lambda ref: run(row, seen.append))
    assert seen == []


def test_work_that_is_not_due_waits():
    row, seen = ring(due=timezone.now() + timedelta(hours=1)), []
    run(row, seen.append)
    assert seen == []


def test_crash_leaves_the_lease_and_the_next_bell_works_after_it(clock):
    row, seen = ring(), []
    with pytest.raises(SystemExit):
        run(row, die)
    run(row, seen.append)
    assert seen == []
    clock.shift(LEASE + timedelta(seconds=1))
    run(row, seen.append)
    assert seen == [row.ref]


def test_fence_grows_with_every_claim(clock):
    row, fences = ring(), []

    def note_and_die(ref):
        fences.append(queue.current().fence)
        die(ref)

    for _ in range(3):
        with pytest.raises(SystemExit):
            run(row, note_and_die)
        clock.shift(LEASE + timedelta(seconds=1))
    assert fences == [1, 2, 3]


def test_renewed_lease_holds_longer(clock):
    row, seen = ring(), []

    def work(ref):
        clock.shift(LEASE - timedelta(seconds=1))
        queue.renew()
        clock.shift(LEASE - timedelta(seconds=1))
        run(row, seen.append)

    run(row, work)
    assert seen == []


def test_holder_whose_lease_was_taken_learns_it(clock):
    row, lost = ring(), []

    def slow(ref):
        clock.shift(LEASE + timedelta(seconds=1))
        run(row, lambda ref: None)
        with pytest.raises(LeaseLost):
            queue.renew()
        lost.append(ref)

    run(row, slow)
    assert lost == [row.ref]


def test_late_holder_cannot_end_what_another_began(clock):
    row = ring()

    def slow(ref):
        clock.shift(LEASE + timedelta(seconds=1))
        with pytest.raises(SystemExit):
            run(row, die)

    run(row, slow)
    row.refresh_from_db()
    assert row.done_at is None


def test_renew_outside_a_task_does_nothing():
    queue.renew()


def test_current_outside_a_task_is_an_error():
    with pytest.raises(LookupError):
        queue.current()


def fail(ref):
    raise ValueError("the password is hunter2")


def test_failure_keeps_its_kind_and_never_its_text(caplog):
    """P9: an error's text may carry a value."""
    row = ring()
    run(row, fail)
    row.refresh_from_db()
    assert (row.error, row.failures, row.done_at) == ("ValueError", 1, None)
    assert "hunter2" not in caplog.text
    assert "test_queue.py" in caplog.text


def test_failed_work_waits_longer_each_time(clock):
    row, waits = ring(), []
    for _ in range(4):
        run(row, fail)
        row.refresh_from_db()
        waits.append((row.due - timezone.now()).total_seconds())
        clock.move_to(row.due)
    assert waits == [2, 4, 8, 16]


def test_failed_work_waits_an_hour_at_most(clock):
    row = ring()
    Outbox.objects.update(failures=30, attempts=30)
    run(row, fail)
    row.refresh_from_db()
    assert row.due - timezone.now() == timedelta(hours=1)


def test_refused_work_is_over():
    def refuse(ref):
        raise Refused("No.")

    row = ring()
    run(row, refuse)
    row.refresh_from_db()
    assert (bool(row.done_at), row.error) == (True, "invalid")


def test_work_whose_time_has_not_come_waits_without_a_failure(clock):
    def later(ref):
        raise Later(timedelta(minutes=3))

    row = ring()
    run(row, later)
    row.refresh_from_db()
    assert (row.due - timezone.now(), row.failures) == (timedelta(minutes=3), 0)


@pytest.mark.parametrize("message", ["nonsense", "", None, 7, "00000000-0000-4000-8000-00000000000f"])
def test_forged_message_is_refused_and_logged(message):
    seen = []
    queue._run(Task.BACKUP, seen.append, message, LEASE)
    assert (seen, Entry.objects.get().event) == ([], Event.MESSAGE_REFUSED)


def test_message_with_a_row_of_another_task_is_refused_and_logged():
    row, seen = ring(Task.RESTORE), []
    run(row, seen.append)
    assert (seen, Entry.objects.get().facts["reason"]) == ([], "other_task")


def test_flood_of_forged_messages_is_one_entry_a_minute():
    for _ in range(20):
        queue._run(Task.BACKUP, print, str(uuid4()), LEASE)
    assert Entry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_one_row_do_its_work_once():
    row, seen, start = ring(), [], threading.Barrier(2)

    def one() -> None:
        start.wait()
        try:
            run(row, seen.append)
        finally:
            connection.close()

    workers = [threading.Thread(target=one) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert seen == [row.ref]


@pytest.mark.django_db(transaction=True)
def test_periodic_task_runs_alone(as_role):
    seen = []
    other = as_role("worker")
    other.execute("SELECT pg_advisory_lock(hashtext('veeamsec'), hashtext(%s))", [Task.OBSERVE.value])
    queue._run_alone(Task.OBSERVE, lambda: seen.append(1))
    assert seen == []
    other.close()


def test_periodic_task_that_fails_leaves_the_way_free():
    def fail():
        raise ValueError

    seen = []
    queue._run_alone(Task.OBSERVE, fail)
    queue._run_alone(Task.OBSERVE, lambda: seen.append(1))
    assert seen == [1]


@pytest.mark.django_db(transaction=True)
def test_decision_asks_for_a_checkpoint_at_once(bells):
    with audit.act(by=audit.WORKER, subject="log"):
        audit.record(Event.REKEY_ENDED)
    assert bells == [(Task.CHECKPOINT, None)]


@pytest.mark.django_db(transaction=True)
def test_daily_work_waits_for_the_minute(bells):
    with audit.act(by=audit.WORKER, subject="log"):
        audit.record(Event.JOB_RUN)
    assert bells == []


@pytest.mark.parametrize("task", [Task.SWEEP, Task.CHECKPOINT, Task.VERIFY])
def test_own_task_is_registered(task):
    assert task.value in celery.current_app.tasks
