"""The form of production on a bare machine, by the script: users, roles, folders; the story walked on it."""

import json
import os
import ssl
import subprocess
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.deploy.machine import Machine, bare_machine, missing, proxy
from veeamsec.demo.cast import bootstrap_file, cast
from veeamsec.demo.client import Client
from veeamsec.demo.story import Story
from veeamsec.demo.telling import Teller, wait_for
from veeamsec.demo.theatre import sealed, sign_in

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("machine"),
    pytest.mark.skipif(missing() != "", reason=missing()),
]
PROCESSES = {
    "web": "web",
    "worker-execute": "worker",
    "worker-data": "worker",
    "worker-enterprise": "enterprise",
    "beat": "beat",
    "receiver": "receiver",
    "broker": "broker",
}


@pytest.fixture(scope="module")
def machine():
    """An installation that runs behind its proxy; its users are taken away at the end."""
    with bare_machine() as found, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(found.root / "localhost.pem"))
        found.install()
        with (found.etc / "veeamsec.env").open("a") as settings:
            # A person would wait for the next observation; the story does not.
            settings.write("VEEAMSEC_OBSERVE_SECONDS=3\n")
        try:
            found.deploy("without-systemd.sh", "start", str(found.etc))
            with proxy(found):
                wait_for("the proxy", lambda: answers(found))
                yield found
        finally:
            found.deploy("without-systemd.sh", "stop", str(found.etc))


def answers(machine: Machine) -> bool | None:
    try:
        with urlopen(f"{machine.origin}/account/login/") as page:
            return True if page.status == 200 else None
    except OSError:
        return None


@pytest.fixture(scope="module")
def clients(machine):
    """The demo's people, signed in over TLS."""
    players, people = cast(), machine.root / "people.json"
    people.write_text(json.dumps(bootstrap_file(players)))
    people.chmod(0o644)
    words = [str(machine.root / "venv/bin/python"), "manage.py", "bootstrap", "--file", str(people)]
    told = dict(
        line.split("=", 1) for line in (machine.etc / "veeamsec.env").read_text().splitlines() if "=" in line
    )
    # Production takes no passwords from a file; this test's people are not real.
    told |= {"VEEAMSEC_PRODUCTION": "0", "VEEAMSEC_PROCESS": "web", "PATH": os.environ["PATH"]}
    name = f"{machine.users}-web"
    become = ["setpriv", "--reuid", name, "--regid", name, "--init-groups"]
    ended = subprocess.run([*become, *words], env=told, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    found = sign_in(players, machine.origin)
    wait_for("the Security Role to be sealed", lambda: sealed(found["dora"]))
    return players, found


def test_every_process_runs_as_its_own_user(machine):
    for name, user in PROCESSES.items():
        pid = (machine.root / f"run-{name}.pid").read_text().strip()
        who = subprocess.run(
            ["ps", "-o", "user:32=", "-p", pid], capture_output=True, text=True
        ).stdout.strip()
        assert (name, who) == (name, f"{machine.users}-{user}")


@pytest.mark.parametrize("key", ["intake.key", "master.key", "signing.key", "pgpass"])
def test_the_webs_user_reads_no_key_of_the_worker(machine, key):
    path = machine.home / "keys" / "worker" / key
    assert (path.exists(), machine.as_user("web", "cat", str(path)).returncode) == (True, 1)


def test_the_workers_user_reads_no_key_of_the_web(machine):
    assert machine.as_user("worker", "cat", str(machine.home / "keys/web/secret_key")).returncode == 1


@pytest.mark.parametrize("folder", ["keys/web", "keys/worker", "keys/owner"])
def test_beat_reads_no_key(machine, folder):
    assert machine.as_user("beat", "ls", str(machine.home / folder)).returncode == 2


@pytest.mark.parametrize("user", ["web", "worker", "beat", "receiver"])
def test_nobody_else_reads_the_enterprises_keys(machine, user):
    assert machine.as_user(user, "ls", str(machine.home / "keys/enterprise")).returncode == 2


@pytest.mark.parametrize("folder", ["keys/web", "keys/worker", "keys/owner"])
def test_the_receiver_reads_no_key_of_others(machine, folder):
    assert machine.as_user("receiver", "ls", str(machine.home / folder)).returncode == 2


def test_the_receiver_is_no_guest_of_the_broker(machine):
    broker = machine.root / "run-broker"
    assert machine.as_user("receiver", "ls", str(broker)).returncode == 2


def test_the_webs_user_reads_no_memory_or_environment_of_the_worker(machine):
    pid = (machine.root / "run-worker-execute.pid").read_text().strip()
    assert machine.as_user("web", "cat", f"/proc/{pid}/environ").returncode == 1


def test_the_proxy_speaks_nothing_older_than_tls_1_3(machine):
    old = ssl.create_default_context()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(OSError, match=r"SSL|TLS|alert"):
        urlopen(f"{machine.origin}/account/login/", context=old)


@pytest.mark.parametrize("path", ["healthz", "readyz"])
def test_the_proxy_keeps_probes_inside(machine, path):
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{machine.origin}/{path}")


def test_it_is_ready_and_says_that_users_are_parted(machine):
    body = {}
    for path in ("readyz", "healthz"):
        words = [
            "curl",
            "-s",
            "--unix-socket",
            str(machine.root / "run-web/web.sock"),
            f"http://localhost/{path}",
        ]
        body |= json.loads(subprocess.run(words, capture_output=True, text=True).stdout)
    assert (body["triggers"], body["broker"], body["one_os_user"]) == (True, True, False)


def test_the_story_is_walked_on_it(machine, clients):
    players, signed_in = clients
    vault = machine.home / "repositories" / "vault"
    vault.mkdir()
    worker = machine.home / "keys" / "worker"
    os.chown(vault, worker.stat().st_uid, worker.stat().st_gid)
    said = machine.deploy(
        "manage.sh", "--etc", str(machine.etc), "create_token", "olivia", "--name", "nightly"
    )
    token = Client(machine.origin, "olivia", token=said.stdout.strip())
    Story(machine.home, players, signed_in, token, Teller()).play()
    verified = machine.deploy("manage.sh", "--etc", str(machine.etc), "verify_audit")
    assert "entries" in verified.stdout


def test_a_second_installation_replaces_nothing(machine):
    before = {path: path.read_bytes() for path in (machine.home / "keys").rglob("*") if path.is_file()}
    machine.install()
    assert {path: path.read_bytes() for path in before} == before
