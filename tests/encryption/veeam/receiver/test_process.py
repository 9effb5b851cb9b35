"""The receiver as a process: killed in the middle, started again, and without its database."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from audit.models import Entry
from encryption.models import VeeamEvent, VeeamReception
from encryption.services.veeam import receptions
from tests.encryption.veeam.lines import line
from tests.encryption.veeam.receiver.conftest import until
from veeamsec import servers
from veeamsec.children import PROJECT
from veeamsec.home import Home

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


class Process:
    """`manage.py receive_events` with its own role, on any free port of TCP."""

    def __init__(self) -> None:
        home = Home(settings.VEEAMSEC_HOME)
        folder = str(home.sockets).replace("/", "%2F")
        told = {name: value for name, value in os.environ.items() if not name.startswith("VEEAMSEC_")}
        told |= {
            "VEEAMSEC_HOME": str(home.path),
            "VEEAMSEC_PROCESS": "receiver",
            "DATABASE_URL": f"postgres://{folder}/{connection.settings_dict['NAME']}",
        }
        words = ["manage.py", "receive_events", "--udp=0", "--tcp=-1", "--tls=0"]
        self.child = subprocess.Popen(
            [sys.executable, *words],
            cwd=PROJECT,
            env=told,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.child.stdout is not None
        said = self.child.stdout.readline()
        found = re.search(r"tcp (\d+)", said)
        assert found, said + self.child.stdout.read()
        self.port = int(found[1])

    def send(self, *data: bytes) -> socket.socket:
        own = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        for one in data:
            own.sendall(one + b"\n")
        return own

    def end(self, sign: signal.Signals = signal.SIGTERM) -> int:
        if self.child.poll() is None:
            self.child.send_signal(sign)
        code = self.child.wait(20)
        assert self.child.stdout is not None
        self.child.stdout.close()
        return code


@pytest.fixture
def start() -> Iterator[Callable[[], Process]]:
    started: list[Process] = []

    def one() -> Process:
        started.append(Process())
        return started[-1]

    yield one
    for process in started:
        with contextlib.suppress(ValueError):
            process.end(signal.SIGKILL)


def test_a_killed_receiver_keeps_what_it_wrote_and_leaves_a_gap(start):
    """P12: events are kept, and a time in which nobody listened is on record."""
    first = start()
    with first.send(line(31600, timezone.now(), host="a")) as own:
        until(lambda: VeeamEvent.objects.count() == 1)
        own.sendall(line(31700, timezone.now(), host="b")[:80])
        assert first.end(signal.SIGKILL) == -signal.SIGKILL
    second = start()
    with second.send(line(31800, timezone.now(), host="c")):
        until(lambda: VeeamEvent.objects.count() == 2)
    former, now = VeeamReception.objects.order_by("began_at")
    (gap,) = receptions.gaps()
    assert (gap.since, gap.until) == (former.alive_at, now.began_at)
    assert Entry.objects.filter(event="veeam.reception_gap").count() == 1


def test_an_ended_receiver_says_so_with_its_counts(start):
    process = start()
    with process.send(line(31600, timezone.now()), line(190, timezone.now()), b"garbage"):
        until(lambda: VeeamEvent.objects.count() == 1)
    assert process.end() == 0
    row = VeeamReception.objects.get()
    assert (row.received, row.refused, row.dropped) == (1, 2, 0)
    assert row.ended_at is not None
    assert row.ended_at - row.began_at < timedelta(minutes=1)


def test_without_its_database_it_holds_what_comes(start):
    process = start()
    with process.send(line(31600, timezone.now(), host="a")) as own:
        until(lambda: VeeamEvent.objects.count() == 1)
        with psycopg.connect(**servers.superuser(Home(settings.VEEAMSEC_HOME)), autocommit=True) as admin:
            admin.execute("ALTER ROLE veeamsec_web NOLOGIN")
            try:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'veeamsec-receiver'"
                )
                own.sendall(line(31700, timezone.now(), host="b") + b"\n")
                assert process.child.stdout is not None
                assert "away" in process.child.stdout.readline()
            finally:
                admin.execute("ALTER ROLE veeamsec_web LOGIN")
        until(lambda: VeeamEvent.objects.count() == 2, 30)


def test_it_writes_as_the_webs_role_and_reads_its_own_password(start):
    start()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'veeamsec-receiver'"
        )
        assert cursor.fetchall() == [("veeamsec_web",)]
