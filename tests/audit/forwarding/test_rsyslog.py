"""A real rsyslogd over TLS, both sides restarted and killed: nothing lost, the order kept.

`make forward-long` runs it with 500,000 entries.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest
from django.db import connections

from audit import services as audit
from audit.events import Event
from audit.forwarders import gate
from audit.models import Entry, Forwarder
from audit.services import forwarding
from tests.audit.forwarding import rsyslog
from tests.audit.forwarding.certificates import Authority
from tests.audit.forwarding.rsyslog import Collector, without_duplicates
from tests.faults.attacks import say

ENTRIES = int(os.environ.get("FORWARD_ENTRIES", "4000"))
KILLS = int(os.environ.get("FORWARD_KILLS", "6"))
LONGEST = 40 + ENTRIES / 100

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not Path(rsyslog.PROGRAM).exists(), reason="rsyslogd is not installed"),
    pytest.mark.skipif(not rsyslog.DRIVERS, reason="rsyslog's TLS (rsyslog-gnutls) is not installed"),
]


@pytest.fixture(params=rsyslog.DRIVERS[:1])
def collector(request, tmp_path):
    made = Collector(tmp_path, Authority(), request.param)
    yield made
    made.end(signal.SIGKILL)


@pytest.fixture
def forwarder(collector, settings) -> Forwarder:
    settings.VEEAMSEC_FORWARD_TO = gate.networks("127.0.0.0/8")
    return Forwarder.objects.create(
        name="rsyslog",
        way="tls",
        host="127.0.0.1",
        port=collector.port,
        authority=(collector.folder / "authority.pem").read_text(),
        certificate=collector.client.certificate,
    )


def fill(count: int) -> None:
    """Write so many entries, with what people type in them."""
    facts = {"reason": 'Two\nlines, a "quote], \u202eturned\x1b[31m'}
    for start in range(0, count, 5000):
        with audit.act(by=audit.CONSOLE, subject="job"):
            for number in range(start, min(count, start + 5000)):
                audit.record(Event.JOB_RUN, facts=facts | {"number": number})


def worker(forwarder: Forwarder, key: bytes) -> int:
    """Fork what a worker does, for ever; returns the child's id."""
    connections.close_all()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    try:
        while True:
            after = forwarding.forward(forwarder.pk, secret_of=lambda _: key)
            time.sleep(min(after.total_seconds(), 0.05))
    finally:
        os._exit(3)


def test_nothing_is_lost_and_the_order_is_kept(collector, forwarder, monkeypatch):
    monkeypatch.setattr(forwarding, "BATCH", max(40, ENTRIES // 400))
    fill(ENTRIES)
    chance, key, last = random.Random(16), collector.client.key, Entry.objects.count() - 1
    collector.start()
    child, ends = worker(forwarder, key), time.monotonic() + LONGEST
    try:
        for turn in range(KILLS):
            wait_past(forwarder, last * (turn + 1) // (KILLS + 2), ends)
            time.sleep(chance.random() / 50)
            if turn % 3 == 2:
                end(child)
                child = worker(forwarder, key)
            else:
                collector.end((signal.SIGKILL, signal.SIGTERM)[turn % 3])
                time.sleep(chance.random() / 5)
                collector.start()
        wait_past(forwarder, last, ends)
    finally:
        end(child)
    collector.end()
    came = collector.received()
    say(f"{ENTRIES} entries, {len(came) - ENTRIES} duplicates, {time.monotonic() - ends + LONGEST:.1f} s")
    assert without_duplicates(came) == list(range(ENTRIES))


def wait_past(forwarder: Forwarder, number: int, ends: float) -> None:
    while True:
        forwarder.refresh_from_db()
        if forwarder.position >= number:
            return
        assert time.monotonic() < ends, (forwarder.position, number, forwarder.last_error)
        time.sleep(0.01)


def end(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_what_arrives_is_what_the_log_holds(collector, forwarder):
    fill(20)
    collector.start()
    forwarding.forward(forwarder.pk, secret_of=lambda _: collector.client.key)
    collector.end()
    held = {row.sequence: bytes(row.leaf_hash).hex() for row in Entry.objects.all()}
    assert collector.leaves() == held


def test_a_receiver_that_refuses_our_certificate_received_nothing(collector, forwarder):
    stranger = Authority().signed("client")
    Forwarder.objects.update(certificate=stranger.certificate)
    fill(5)
    collector.start()
    forwarding.forward(forwarder.pk, secret_of=lambda _: stranger.key)
    forwarder.refresh_from_db()
    assert (forwarder.position, forwarder.failures, collector.received()) == (-1, 1, [])
