"""P11: the broker is emptied, the database ends in the middle of the work: all goes on by itself.

A real stack on a home of its own; nobody helps, only time passes.
"""

import json
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.faults.test_canary import family
from veeamsec import servers
from veeamsec.demo.cast import bootstrap_file, cast
from veeamsec.demo.client import Client
from veeamsec.demo.stage import API, Stage
from veeamsec.demo.telling import Teller, expect
from veeamsec.demo.theatre import manage
from veeamsec.home import Home
from veeamsec.supervisor import stack

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("outages")]
ENDED = ("succeeded", "warning", "failed")


@pytest.fixture(scope="module")
def house() -> Iterator[tuple[Home, Stage, str]]:
    """A running product with a plain job over some megabytes; its home, its operator, its job."""
    patch = pytest.MonkeyPatch()
    patch.setenv("DJANGO_SETTINGS_MODULE", "veeamsec.settings")
    home = Home(Path(tempfile.mkdtemp(prefix="vs-out-")).resolve())
    try:
        with stack(home.path) as url:
            players = cast()
            told = json.dumps(bootstrap_file(players))
            manage(home.path, url, "bootstrap", "--file", "/dev/stdin", text=told)
            operator = players["olivia"].client(url)
            operator.sign_in(players["olivia"].password)
            stage = Stage(operator, Teller())
            yield home, stage, make_job(home, stage)
    finally:
        patch.undo()
        servers.forget(home)
        shutil.rmtree(home.path, ignore_errors=True)


def make_job(home: Home, stage: Stage) -> str:
    source, where = home.path / "restores" / "source", home.path / "repositories" / "vault"
    source.mkdir(parents=True)
    where.mkdir(parents=True)
    for number in range(20):
        (source / str(number)).write_bytes(secrets.token_bytes(1_000_000))
    place = stage.create("repositories", {"name": "Vault", "location": str(where)})
    job = {"name": "Files", "repository": place["id"], "source": str(source), "full_every": 1}
    return str(stage.create("jobs", job)["id"])


def workers(home: Home) -> list[int]:
    """The worker processes that run backups."""
    found = []
    for pid in family(int((home.path / "run.lock").read_text())):
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"celery" in arguments and b"data@" in arguments:
            found.append(pid)
    return found


def database(home: Home) -> int:
    """The main process of the private PostgreSQL."""
    return int((home.data / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def started(client: Client, job: str) -> str:
    return str(expect(client.post(f"{API}/jobs/{job}/run/", {}), 201, 202)["id"])


def ended(client: Client, session: str, seconds: float = 240) -> dict[str, Any]:
    """The session once it has ended; answers that fail meanwhile are waited out."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = client.get(f"{API}/sessions/{session}/")
        if answer.status == 200 and answer.json["state"] in ENDED:
            return dict(answer.json)
        time.sleep(0.5)
    raise AssertionError("the session did not end")


def with_stopped(pids: list[int], action: Callable[[], Any]) -> Any:
    """Do something while these processes sleep."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        return action()
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def one_point_each(home: Home, stage: Stage, job: str) -> None:
    """As many data files as restore points, no part, and a log that verifies."""
    folder = home.path / "repositories" / "vault" / job
    assert {path.stem for path in folder.glob("*.vsb")} == {point["id"] for point in stage.points(job)}
    assert not list(folder.glob("*.part"))
    said = manage(home.path, stage.operator.url, "verify_audit")
    assert "is what was written" in said


def test_an_emptied_broker_loses_no_work(house):
    """P11: the outbox is the truth; the sweep rings for what the broker forgot."""
    home, stage, job = house
    broker = redis.Redis(unix_socket_path=str(home.sockets / "valkey.sock"))

    def ask() -> str:
        session = started(stage.operator, job)
        broker.flushall()
        return session

    session = with_stopped(workers(home), ask)
    broker.close()
    assert ended(stage.operator, session)["state"] == "succeeded"
    assert len(stage.points(job)) == 1
    one_point_each(home, stage, job)


def test_a_database_that_ends_in_the_middle_loses_and_doubles_nothing(house):
    """P11: ended at once while a worker is at it; the supervisor starts it again, the sweep goes on."""
    home, stage, job = house
    before = len(stage.points(job))
    session = started(stage.operator, job)
    folder = home.path / "repositories" / "vault" / job
    until = time.monotonic() + 60
    while not list(folder.glob("*.part")) and time.monotonic() < until:
        time.sleep(0.005)
    os.kill(database(home), signal.SIGINT)
    assert ended(stage.operator, session)["state"] in ("succeeded", "failed")
    if len(stage.points(job)) == before:
        # It was told that the run failed: then nothing of it is left, and the next one is whole.
        assert ended(stage.operator, started(stage.operator, job))["state"] == "succeeded"
    assert len(stage.points(job)) == before + 1
    one_point_each(home, stage, job)


def test_killed_workers_are_followed(house):
    """P11: every worker process killed in the middle of a run; the next ones end it."""
    home, stage, job = house
    before = len(stage.points(job))
    session = started(stage.operator, job)
    folder = home.path / "repositories" / "vault" / job
    until = time.monotonic() + 60
    while not list(folder.glob("*.part")) and time.monotonic() < until:
        time.sleep(0.005)
    for pid in workers(home):
        os.kill(pid, signal.SIGKILL)
    assert ended(stage.operator, session)["state"] == "succeeded"
    assert len(stage.points(job)) == before + 1
    one_point_each(home, stage, job)
