"""The whole product as one command: started, kept alive, ended; on a home of its own."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from veeamsec import servers
from veeamsec.children import BACKOFF_SECONDS, PROJECT, Child, environment
from veeamsec.home import Home
from veeamsec.supervisor import CannotStart, free_port, healthy, lock, stack

pytestmark = pytest.mark.slow


@dataclass
class Running:
    home: Home
    url: str
    ending: contextlib.ExitStack

    def said(self) -> str:
        return (self.home.path / "run.log").read_text()


@pytest.fixture(scope="module")
def running():
    """A running product; the last test of this file ends it."""
    home = Home(Path(tempfile.mkdtemp(prefix="vs-run-")).resolve())
    with contextlib.ExitStack() as ending:
        yield Running(home, ending.enter_context(stack(home.path)), ending)
    servers.forget(home)
    shutil.rmtree(home.path)


def supervisor_of(home: Home) -> int:
    return int((home.path / "run.lock").read_text())


def children_of(pid: int) -> dict[int, str]:
    listed = subprocess.run(
        ["ps", "-wwo", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    rows = [line.split(None, 1) for line in listed.stdout.splitlines()]
    return {int(pid): args for pid, args in rows}


def family_of(pid: int) -> list[int]:
    return [pid, *(one for child in children_of(pid) for one in family_of(child))]


def eventually(ask, seconds: float = 30):
    until = time.monotonic() + seconds
    while not (found := ask()) and time.monotonic() < until:
        time.sleep(0.2)
    return found


def test_everything_runs(running):
    home = running.home
    args = " ".join(children_of(supervisor_of(home)).values())
    assert re.findall(r"-Q (\w+)", args) == ["execute", "data", "enterprise"]
    assert all(name in args for name in ("postgres", "valkey", "gunicorn", "beat"))


def test_a_second_start_says_so(running):
    home = running.home
    again = subprocess.run(
        [sys.executable, "manage.py", "run", "--port=0"],
        cwd=PROJECT,
        env=environment(home, "web", "http://localhost:1") | {"DJANGO_SETTINGS_MODULE": "veeamsec.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (again.returncode, f"process {supervisor_of(home)}" in again.stdout) == (1, True)


def test_no_password_stands_in_a_process_list(running):
    """P9: neither arguments nor environment of any process hold a secret."""
    home = running.home
    secrets = [path.read_text().strip().rpartition(":")[2] for path in home.keys.glob("*/pgpass")]
    secrets.append((home.keys / "web" / "secret_key").read_text())
    told = b"".join(
        Path(f"/proc/{pid}/{what}").read_bytes()
        for pid in family_of(supervisor_of(home))
        for what in ("cmdline", "environ")
    )
    assert [secret for secret in secrets if secret.encode() in told] == []


def test_no_process_dumps_core(running):
    home = running.home
    limits = [Path(f"/proc/{pid}/limits").read_text() for pid in family_of(supervisor_of(home))]
    assert {re.search(r"core file size +(\w+)", limit)[1] for limit in limits} == {"0"}


def test_only_the_loopback_is_listened_on(running):
    port = int(running.url.rpartition(":")[2])
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert {row[1] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"} == {
        f"0100007F:{port:04X}"
    }


def test_a_killed_worker_is_said_and_started_again(running):
    home = running.home
    (old,) = [pid for pid, args in children_of(supervisor_of(home)).items() if "-Q data" in args]
    pool = family_of(old)[1:]
    os.kill(old, signal.SIGKILL)
    new = eventually(
        lambda: [
            pid for pid, args in children_of(supervisor_of(home)).items() if "-Q data" in args and pid != old
        ]
    )
    assert new
    assert "worker-data ended by itself (signal SIGKILL)" in running.said()
    assert eventually(lambda: [pid for pid in pool if Path(f"/proc/{pid}").exists()] == [])


def test_a_killed_database_comes_back(running):
    home, url = running.home, running.url
    (old,) = [pid for pid, args in children_of(supervisor_of(home)).items() if "postgres" in args]
    os.kill(old, signal.SIGKILL)
    port = int(url.rpartition(":")[2])
    assert eventually(lambda: not healthy(port), 5)
    assert eventually(lambda: healthy(port))


def test_a_taken_port_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CannotStart, match="is taken"):
            free_port(taken.getsockname()[1])


def test_a_home_has_one_supervisor(tmp_path):
    with lock(Home(tmp_path)), pytest.raises(CannotStart, match=str(os.getpid())), lock(Home(tmp_path)):
        pass


def test_a_child_that_dies_at_once_waits_longer_each_time():
    child = Child("sick", lambda: subprocess.Popen(["false"]), 1)
    pauses = []
    for _ in range(3):
        child.launch()
        child.process.wait()
        child.died()
        pauses.append(round(child.due - time.monotonic()))
    assert pauses == list(BACKOFF_SECONDS[:3])


def test_a_deaf_child_is_killed():
    child = Child(
        "deaf", lambda: subprocess.Popen(["sleep", "60"], start_new_session=True), 1, signal.SIGCHLD, 0.1
    )
    child.launch()
    child.end(at_once=lambda: False)
    assert child.process.returncode == -signal.SIGKILL


def test_credentials_of_the_database_reach_only_setup(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://admin:secret@db/veeamsec")
    home = Home(tmp_path)
    assert environment(home, "web", "http://x")["DATABASE_URL"] == "postgres://db/veeamsec"
    assert "secret" in environment(home, "owner", "http://x")["DATABASE_URL"]


def test_all_end_in_order(running):
    family = family_of(supervisor_of(running.home))
    running.ending.close()
    order = "beat, web, worker-enterprise, worker-data, worker-execute, valkey, postgres"
    assert f"ending: {order}" in running.said()
    assert [pid for pid in family if Path(f"/proc/{pid}").exists()] == []
