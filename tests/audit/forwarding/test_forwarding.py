"""What a forwarder sends, how far it counts, when it comes again, and when somebody is told."""

from contextlib import contextmanager
from datetime import timedelta

import pytest

from audit import queue
from audit.alarms import Kind
from audit.errors import NotReceived
from audit.models import Alarm, Entry, Forwarder, Outbox
from audit.queue import Task
from audit.services import forwarding

pytestmark = pytest.mark.django_db


class Collector:
    """Takes batches, or refuses them."""

    def __init__(self) -> None:
        self.batches: list[list] = []
        self.refuses = 0
        self.meanwhile = lambda: None

    @contextmanager
    def opened(self, forwarder, secret_of):
        yield self

    def send(self, messages: list) -> None:
        if self.refuses:
            self.refuses -= 1
            raise NotReceived("Nobody answers there.")
        self.batches.append(messages)
        self.meanwhile()


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def forwarder(db) -> Forwarder:
    return Forwarder.objects.create(name="siem", way="webhook", form="json", host="siem.example", port=443)


def forward(forwarder, collector) -> timedelta | None:
    return forwarding.forward(forwarder.pk, secret_of=lambda _: b"", opened=collector.opened)


def numbers(collector) -> list[int]:
    return [message["entry"] for batch in collector.batches for message in batch]


def test_every_entry_is_sent_in_order(forwarder, collector, write, monkeypatch):
    monkeypatch.setattr(forwarding, "BATCH", 3)
    write(10)
    assert forward(forwarder, collector) == forwarding.IDLE
    assert numbers(collector) == list(range(10))


def test_the_position_is_the_last_that_was_received(forwarder, collector, write):
    write(4)
    forward(forwarder, collector)
    forwarder.refresh_from_db()
    assert (forwarder.position, forwarder.failures, forwarder.last_error) == (3, 0, "")


def test_nothing_is_sent_twice_when_it_was_received(forwarder, collector, write):
    write(2)
    forward(forwarder, collector)
    write(1)
    forward(forwarder, collector)
    assert numbers(collector) == [0, 1, 2]


def test_a_batch_that_was_not_received_is_sent_again(forwarder, collector, write):
    write(3)
    collector.refuses = 1
    forward(forwarder, collector)
    assert (forwarder.position, numbers(collector)) == (-1, [])
    forward(forwarder, collector)
    assert numbers(collector) == [0, 1, 2]


def test_failures_come_less_and_less_often(forwarder, collector, write):
    write(1)
    collector.refuses = 12
    waits = [forward(forwarder, collector).total_seconds() for _ in range(12)]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]


def test_the_last_error_is_kept_until_a_success(forwarder, collector, write):
    write(1)
    collector.refuses = 1
    forward(forwarder, collector)
    forwarder.refresh_from_db()
    assert (forwarder.failures, forwarder.last_error) == (1, "Nobody answers there.")
    forward(forwarder, collector)
    forwarder.refresh_from_db()
    assert (forwarder.failures, forwarder.last_error) == (0, "")


def test_a_stopped_one_sends_nothing(forwarder, collector, write):
    write(1)
    Forwarder.objects.update(active=False)
    assert (forward(forwarder, collector), collector.batches) == (None, [])


def test_a_change_meanwhile_confirms_nothing(forwarder, collector, write):
    """What went to the former place is sent to the new one as well: at least once."""
    write(2)
    collector.meanwhile = lambda: Forwarder.objects.update(
        changed_at="2026-01-01T00:00:00Z", host="b.example"
    )
    forward(forwarder, collector)
    forwarder.refresh_from_db()
    assert forwarder.position == -1


def test_names_stay_here_unless_asked_for(forwarder, collector, write):
    write(1)
    forward(forwarder, collector)
    assert collector.batches[0][0]["names"] == {}


def test_names_go_where_asked_for(forwarder, collector, write):
    Forwarder.objects.update(with_names=True)
    write(1)
    forward(forwarder, collector)
    assert collector.batches[0][0]["names"]["subject"] == "job 0"


def test_a_message_carries_the_leaf_of_its_entry(forwarder, collector, write):
    write(1)
    forward(forwarder, collector)
    assert collector.batches[0][0]["leaf_hash"] == bytes(Entry.objects.get().leaf_hash).hex()


def test_watch_rings_for_one_that_nobody_rings_for(forwarder, bells):
    assert (forwarding.watch(), forwarding.watch()) == (1, 0)
    assert Outbox.objects.get(name=Task.FORWARD).ref == forwarder.pk


@pytest.mark.alarm("forwarder.behind")
def test_behind_is_raised_and_resolved(forwarder, collector, write, clock, bells):
    write(1)
    clock.shift(forwarding.BEHIND - timedelta(seconds=1))
    forwarding.watch()
    assert not Alarm.objects.exists()
    clock.shift(2)
    forwarding.watch()
    alarm = Alarm.objects.get(kind=Kind.FORWARDER_BEHIND)
    assert (alarm.subject_id, alarm.state) == (str(forwarder.pk), "raised")
    forward(forwarder, collector)
    forwarding.watch()
    alarm.refresh_from_db()
    assert alarm.state == "resolved"


def test_behind_is_raised_once(forwarder, write, clock, bells):
    write(1)
    clock.shift(forwarding.BEHIND * 2)
    forwarding.watch()
    entries = Entry.objects.count()
    forwarding.watch()
    assert Entry.objects.count() == entries


def test_a_stopped_one_is_not_behind(forwarder, write, clock, bells):
    write(1)
    Forwarder.objects.update(active=False)
    clock.shift(forwarding.BEHIND * 2)
    forwarding.watch()
    assert not Alarm.objects.exists()


def test_web_cannot_say_how_far_it_came(forwarder, as_role):
    """The position is the worker's: a web process cannot have entries left out."""
    with as_role("web").cursor() as cursor, pytest.raises(Exception, match="permission denied"):
        cursor.execute("UPDATE audit_forwarder SET position = 99")


def test_nobody_deletes_a_forwarder(forwarder, as_role):
    for role in ("web", "worker"):
        with as_role(role).cursor() as cursor, pytest.raises(Exception, match="permission denied"):
            cursor.execute("DELETE FROM audit_forwarder")


def test_watching_does_not_wait_for_long_backups():
    from veeamsec.celery import app

    assert app.amqp.router.route({}, str(queue.Task.WATCH_FORWARDERS))["queue"].name == "execute"
