"""P12: two real connections at the head of the log at once, and one that is cut off in the middle."""

import threading
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from audit import services as audit
from audit.errors import AuditUnavailable
from audit.events import Event
from audit.models import HEAD, Alarm, Entry

SUBJECT = uuid4()


@pytest.mark.django_db(transaction=True)
def test_two_writers_at_once_leave_no_gap():
    """P12: the head of the log is held by one writer at a time."""
    each, failures = 40, []

    def write() -> None:
        try:
            for _ in range(each):
                with audit.act(by=audit.WORKER, subject=SUBJECT):
                    audit.record(Event.JOB_RUN)
                    audit.record(Event.BACKUP_FINISHED)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert not failures
    found = list(Entry.objects.order_by("sequence").values_list("sequence", flat=True))
    assert found == list(range(each * 4))


@pytest.mark.django_db(transaction=True)
def test_writer_waits_for_the_head_and_then_follows(as_role):
    """A second connection that holds the head makes the first wait; what it committed comes first."""
    with audit.act(by=audit.WORKER, subject=SUBJECT):
        audit.record(Event.JOB_RUN)
    other: psycopg.Connection = as_role("worker")
    other.execute("BEGIN")
    other.execute("SELECT pg_advisory_xact_lock(%s)", [HEAD])
    done = threading.Event()

    def write() -> None:
        with audit.act(by=audit.WORKER, subject=SUBJECT):
            audit.record(Event.JOB_RUN)
        connection.close()
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert not done.wait(0.3)
    other.execute("COMMIT")
    assert done.wait(10)
    writer.join()


@pytest.mark.django_db(transaction=True)
def test_connection_that_dies_between_effect_and_entry_leaves_neither(as_role):
    """P12: what a kill leaves is the state before."""
    killer: psycopg.Connection = as_role("owner")

    def act_and_die() -> None:
        with audit.act(by=audit.WORKER, subject=SUBJECT):
            Alarm.objects.create(kind="drift", severity="info", subject_type="x", text="x")
            audit.record(Event.JOB_RUN)
            killer.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])

    with pytest.raises(AuditUnavailable):
        act_and_die()
    connection.close()
    assert (Alarm.objects.count(), Entry.objects.count()) == (0, 0)
