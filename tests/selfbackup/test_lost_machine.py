"""`backup_self`, a lost machine, `restore_self`: every badge verifies, every restore point opens.

Once with the database as new as its checkpoints, once with one that is older.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from veeamsec import servers
from veeamsec.children import PROJECT, environment
from veeamsec.demo.cast import Player, bootstrap_file, cast
from veeamsec.demo.client import Client
from veeamsec.demo.stage import API, Stage
from veeamsec.demo.story import CUSTODY, Story
from veeamsec.demo.telling import Teller, expect, wait_for
from veeamsec.demo.theatre import sealed, sign_in
from veeamsec.home import Home
from veeamsec.supervisor import free_port, stack

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("selfbackup")]
PASSPHRASE = "kelp-lagoon-meadow-nectar-opal-quartz-0815"


def manage(
    home: Path, *words: str, text: str = "", process: str = "owner"
) -> subprocess.CompletedProcess[str]:
    """A command of manage.py; pass phrases and codes come by the standard input."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env=environment(Home(home), process, "http://localhost:8000"),
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@dataclass
class World:
    """What outlives the machine: people, the repository's disk, the backup, notes that were copied away."""

    folder: Path
    players: dict[str, Player]
    job: str
    label: str
    points: list[str]
    port: int

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def lose_the_machine(self) -> None:
        servers.forget(Home(self.home))
        shutil.rmtree(self.home)

    def restore(self) -> str:
        """Bring everything back, the repository's disk included."""
        backup = ["--from", str(self.folder / "self.backup"), "--keys-from", str(self.folder / "self.keys")]
        ended = manage(self.home, "restore_self", *backup, text=PASSPHRASE + "\n")
        assert ended.returncode == 0, ended.stderr
        shutil.rmtree(self.home / "repositories")
        shutil.copytree(self.folder / "disk", self.home / "repositories", copy_function=shutil.copy2)
        return ended.stdout

    def signed_in(self, name: str, url: str) -> Client:
        client = self.players[name].client(url)
        client.sign_in(self.players[name].password)
        return client


def play(folder: Path) -> World:
    """The whole story, then a backup of the product, then something more that the backup lacks."""
    home, players, port = folder / "home", cast(), free_port(0)
    with stack(home, port) as url:
        people = json.dumps(bootstrap_file(players))
        made = manage(home, "bootstrap", "--file", "/dev/stdin", text=people, process="web")
        assert made.returncode == 0, made.stderr
        clients = sign_in(players, url)
        wait_for("the Security Role to be sealed", lambda: sealed(clients["dora"]))
        token = manage(home, "create_token", "olivia", "--name", "nightly", process="web").stdout.strip()
        story = Story(home, players, clients, Client(url, "olivia", token=token), Teller())
        story.play()
        points = [point["id"] for point in story.stage.points(story.job["id"])]
        to = ["--to", str(folder / "self.backup"), "--keys-to", str(folder / "self.keys")]
        saved = manage(home, "backup_self", *to, text=PASSPHRASE + "\n")
        assert saved.returncode == 0, saved.stderr
        shutil.copytree(home / "repositories", folder / "disk")
        before = len(list((home / "checkpoints").rglob("*.note")))
        second = {"name": "Second", "location": str(home / "repositories/second")}
        story.stage.create("repositories", second)
        sign(home)
        assert len(list((home / "checkpoints").rglob("*.note"))) > before
        shutil.copytree(home / "checkpoints", folder / "notes")
        label = story.stage.badge(story.job["id"])["label"]
    return World(folder, players, story.job["id"], label, points, port)


@pytest.fixture(scope="module")
def world():
    folder = Path(tempfile.mkdtemp(prefix="vs-self-")).resolve()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VEEAMSEC_OBSERVE_SECONDS", "3")
        yield play(folder)
    servers.forget(Home(folder / "home"))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("name", ["self.backup", "self.keys"])
def test_a_backup_tells_nothing_without_its_pass_phrase(world, name):
    data = (world.folder / name).read_bytes()
    secrets = (b"PRIVATE KEY", b"veeamsec-master", b"PGDMP", b"Olivia", b"signing.key")
    assert [word for word in secrets if word in data] == []


def test_another_pass_phrase_is_refused_and_nothing_is_written(world):
    elsewhere = world.folder / "elsewhere"
    words = ["restore_self", "--from", str(world.folder / "self.backup")]
    ended = manage(elsewhere, *words, text="another-pass-phrase\n")
    assert (ended.returncode, "pass phrase is another" in ended.stderr) == (1, True)
    assert not (elsewhere / "keys").exists()


def test_an_easy_pass_phrase_is_refused(world):
    ended = manage(world.home, "backup_self", "--to", str(world.folder / "easy"), text="password1\n")
    assert (ended.returncode, "easy to guess" in ended.stderr) == (1, True)
    assert not (world.folder / "easy").exists()


def test_a_database_that_holds_something_is_not_restored_into(world):
    words = ["restore_self", "--from", str(world.folder / "self.backup")]
    ended = manage(world.home, *words, text=PASSPHRASE + "\n")
    assert (ended.returncode, "holds tables already" in ended.stderr) == (1, True)


def test_a_lost_machine_comes_back_with_badge_and_restore_points(world):
    world.lose_the_machine()
    assert "acknowledge" not in world.restore()
    with stack(world.home, world.port) as url:
        stage = Stage(world.signed_in("olivia", url), Teller())
        assert stage.wait_for_badge(world.job, "approved_from")["label"] == world.label
        assert [point["id"] for point in stage.points(world.job)] == world.points
        for number, point in enumerate(world.points):
            stage.restore(point, str(world.home / "restores" / f"again-{number}"))
    assert verified(world).returncode == 0


def test_a_database_older_than_its_checkpoints_waits_for_two_persons(world):
    world.lose_the_machine()
    world.home.mkdir(mode=0o700)
    shutil.copytree(world.folder / "notes", world.home / "checkpoints")
    assert "No re-key and no deletion" in world.restore()
    with stack(world.home, world.port) as url:
        stage = Stage(world.signed_in("olivia", url), Teller())
        stage.wait_for_badge(world.job, "approved_from")
        carl = world.signed_in("carl", url)
        request = ask_for_a_change(stage)
        stage.approve(request, carl, "In order.")
        assert "LogAltered" in sign(world.home).stderr
        assert "is an older copy" in stage.operator.get("/alarms/").text
        assert state(stage, request) == "approved"
        refused = acknowledge(world, "olivia", stage.operator)
        assert "Security member or a Backup administrator" in refused.stderr
        assert "1 of 2" in acknowledge(world, "carl", carl).stdout
        assert state(stage, request) == "approved"
        dora = world.players["dora"].client(url)
        assert "2 of 2" in acknowledge(world, "dora", dora).stdout
        wait_for("the re-key", lambda: state(stage, request) == "executed" or None)
        stage.wait_for_badge(world.job, "approved_from")
    assert verified(world).returncode == 0


def sign(home: Path) -> subprocess.CompletedProcess[str]:
    """What beat has the worker do each minute."""
    words = "from audit.services import sign_checkpoint; sign_checkpoint()"
    return manage(home, "shell", "-c", words, process="worker")


def ask_for_a_change(stage: Stage) -> dict[str, Any]:
    password = expect(stage.operator.get(f"{API}/passwords/"), 200)["results"][0]
    procedure = expect(stage.operator.get(f"{API}/requests/procedure/"), 200)
    answers = [{"question": one, "answer": "Yes."} for one in procedure["procedure_questions"]]
    return stage.ask(
        {
            "kind": "change_password",
            "reason": "After the restore.",
            "encryption_password": password["id"],
            "new_password": "ember-fjord-garnet-harbor-indigo-0042",
            "hint": "Library 2028",
            "scope": "keys",
            "custody": CUSTODY,
            "answers": answers,
            "start": "now",
        }
    )


def state(stage: Stage, request: dict[str, Any]) -> str:
    return str(expect(stage.operator.get(f"{API}/requests/{request['id']}/"), 200)["state"])


def acknowledge(world: World, name: str, client: Client) -> subprocess.CompletedProcess[str]:
    # A code is good once, and who signed in or decided has used one.
    text = f"{world.players[name].password}\n{client.code()}\n"
    return manage(world.home, "acknowledge", "--user", name, text=text)


def verified(world: World) -> subprocess.CompletedProcess[str]:
    with servers.running(Home(world.home)):
        return manage(world.home, "verify_audit", process="worker")
