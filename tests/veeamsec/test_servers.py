"""Private servers of a home of its own, with the machine's programs and with the wheels'."""

import signal
import subprocess
import sys
import time

import psycopg
import pytest

from veeamsec import programs, servers
from veeamsec.home import Home, HomeError


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / "home")
    made.make()
    yield made
    servers.forget(made)


def test_the_wheels_programs_serve(home, monkeypatch):
    monkeypatch.setattr(programs, "of_the_machine", list)
    monkeypatch.setattr(programs.shutil, "which", lambda name: None)
    with servers.running(home, durable=False):
        with psycopg.connect(**servers.superuser(home)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_servers_end_with_their_block(home):
    with servers.running(home, durable=False):
        assert servers.answers(home)
    assert not servers.answers(home)


def test_no_password_opens_nothing(home):
    with servers.running(home, durable=False):
        told = servers.superuser(home) | {"passfile": "/dev/null", "connect_timeout": "2"}
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(**told)


def test_nothing_listens_on_the_network(home):
    with servers.running(home, durable=False), psycopg.connect(**servers.superuser(home)) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_a_folder_of_somebody_else_is_refused(home):
    home.sockets.mkdir(parents=True)
    home.sockets.chmod(0o755)
    with pytest.raises(HomeError, match="not a private folder"):
        servers.make_folders(home, programs.runner())


def test_data_of_a_missing_version_is_named(tmp_path):
    (tmp_path / "PG_VERSION").write_text("9\n")
    with pytest.raises(programs.ProgramMissing, match="PostgreSQL 9"):
        programs.postgres_folder(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with a killed parent")
def test_a_killed_parent_takes_its_child_along():
    script = (
        "import subprocess, time, signal; from veeamsec.servers import dies_with_parent\n"
        "child = subprocess.Popen(['sleep', '60'], preexec_fn=dies_with_parent(signal.SIGTERM))\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    assert gone(child)


def gone(pid: int) -> bool:
    for _ in range(50):
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False).stdout
        if not state.strip() or state.startswith(b"Z"):
            return True
        time.sleep(0.1)
    return False
