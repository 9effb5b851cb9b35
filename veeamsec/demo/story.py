"""The main job: from a real folder to an approved, re-keyed, badged job and a restore compared by hash."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from veeamsec.children import PROJECT
from veeamsec.demo import tree
from veeamsec.demo.cast import Player, passphrase
from veeamsec.demo.client import Client, DemoFailed
from veeamsec.demo.stage import API, Stage
from veeamsec.demo.telling import Teller, expect, refused, wait_for

CUSTODY = [
    {
        "medium": "paper, sealed envelope",
        "place": "bank safe",
        "offsite": True,
        "offline": True,
        "custodian": "Carl Weiss",
    },
    {
        "medium": "password manager",
        "place": "legal office",
        "offsite": False,
        "offline": False,
        "custodian": "Dora Marchetti",
    },
]


@dataclass
class Story:
    """One telling of it; `clients` are signed in already, because a code is good once in half a minute."""

    home: Path
    players: dict[str, Player]
    clients: dict[str, Client]
    token: Client
    tell: Teller

    def __post_init__(self) -> None:
        self.stage = Stage(self.clients["olivia"], self.tell)
        self.first, self.second = passphrase(), passphrase()
        # A folder that jobs may read in every home, so that whoever opens this one can run the job again.
        self.source = self.home / "restores" / "standard-library"
        self.job: dict[str, Any] = {}
        self.repository: dict[str, Any] = {}
        self.restored: dict[str, str] = {}

    def play(self) -> None:
        """The whole story, in order."""
        self._plain_backup()
        self._activate()
        self._encrypted_backups()
        self._change_password()
        self._restore()
        self._behind_the_back()

    def _plain_backup(self) -> None:
        with self.tell.step("Olivia makes a job over a real folder and runs it, still without encryption"):
            files = tree.copy_library(self.source)
            self.tell.say(f"{files} files of this Python's standard library")
            where = self.home / "repositories" / "vault"
            where.mkdir(parents=True, exist_ok=True)
            self.repository = self.stage.create("repositories", {"name": "Vault", "location": str(where)})
            self.job = self.stage.create(
                "jobs",
                {
                    "name": "Standard library",
                    "repository": self.repository["id"],
                    "source": str(self.source),
                    "exclude": ["*.tmp"],
                    "data_category": "source code",
                },
            )
            point = self.stage.run(self.job["id"])
            self.tell.say(f"{point['kind']} {point['id']}, {point['size']:,} bytes")
            self.tell.say(f"the badge reads: {self.stage.badge(self.job['id'])['label']}")

    def _activate(self) -> None:
        with self.tell.step("Olivia asks for encryption; nobody who should not can approve it"):
            request = self.stage.ask(
                {
                    "kind": "activate_encryption",
                    "reason": "The folder leaves the house on the next copy.",
                    "jobs": [self.job["id"]],
                    "new_password": self.first,
                    "hint": "Library 2026",
                    "custody": CUSTODY,
                    "answers": self._answers(),
                    "start": "next_run",
                }
            )
            tries = [
                ("Olivia herself", self.clients["olivia"], "own_request"),
                ("her second account", self.clients["olivia.admin"], "own_request"),
                ("a superuser", self.clients["root"], "not_eligible"),
                ("a token", self.token, "interactive_required"),
            ]
            for name, client, code in tries:
                why = refused(self.stage.try_to_approve(request, client), code)
                self.tell.say(f"{name} is refused: {why}")
        with self.tell.step("Carl, CISO, approves in his session with a fresh code; a worker activates"):
            self.stage.approve(request, self.clients["carl"], "Custody is stated; go ahead.")
            self.stage.wait_until_executed(request)
            sign = self.stage.wait_for_badge(self.job["id"], "next_run", "approved_from")
            self.tell.say(f"the badge reads: {sign['label']}")

    def _encrypted_backups(self) -> None:
        with self.tell.step("The next run is a full under the new key; real changes; then an increment"):
            full = self.stage.run(self.job["id"])
            self.tell.say(f"{full['kind']} {full['id']}, {full['size']:,} bytes")
            self.tell.say(tree.change(self.source))
            self.restored = tree.digests(self.source)
            increment = self.stage.run(self.job["id"])
            self.tell.say(f"{increment['kind']} {increment['id']}, {increment['size']:,} bytes")
            if (full["kind"], increment["kind"]) != ("full", "increment"):
                raise DemoFailed(f"expected a full and an increment: {full['kind']}, {increment['kind']}")
            sign = self.stage.wait_for_badge(self.job["id"], "approved_from")
            self.tell.say(f"the badge is honest about the plain point: {sign['label']}")

    def _change_password(self) -> None:
        password = expect(self.clients["olivia"].get(f"{API}/passwords/"), 200)["results"][0]
        shutil.copy2(self._keyring, self.home / "keyring.before")
        with self.tell.step(
            "Olivia asks for a change of the password; Dora, DPO, approves; every point is re-keyed"
        ):
            request = self.stage.ask(
                {
                    "kind": "change_password",
                    "reason": "Yearly rotation.",
                    "encryption_password": password["id"],
                    "new_password": self.second,
                    "hint": "Library 2027",
                    "scope": "keys",
                    "custody": CUSTODY,
                    "answers": self._answers(),
                    "start": "now",
                }
            )
            self.stage.approve(request, self.clients["dora"], "In order.")
            self.stage.wait_until_executed(request)
        with self.tell.step("The old password is out, the new one is in; no database is asked"):
            newest = self.stage.points(self.job["id"])[0]["id"]
            if (why := self._try_to_open(newest, self.first)) is None:
                raise DemoFailed("the old password still opens the newest restore point")
            self.tell.say(f"the old one: {why}")
            if (why := self._try_to_open(newest, self.second)) is not None:
                raise DemoFailed(f"the new password does not open the newest restore point: {why}")
            self.tell.say("the new one: every file came back, equal by hash")
            sign = self.stage.wait_for_badge(self.job["id"], "approved_from")
            self.tell.say(f"the badge reads: {sign['label']} ({sign['proof']})")

    def _restore(self) -> None:
        with self.tell.step("Olivia restores the newest point; every file is compared by its SHA-256"):
            to = self.home / "restores" / "library"
            newest = self.stage.points(self.job["id"])[0]["id"]
            self.stage.restore(newest, str(to))
            found = tree.digests(to)
            if found != self.restored:
                differing = sorted(dict(found.items() ^ self.restored.items()))
                raise DemoFailed(f"{len(differing)} files differ: {differing[:5]}")
            self.tell.say(f"{len(found)} files, all equal")

    def _behind_the_back(self) -> None:
        with self.tell.step("Somebody puts the old keyring back behind the product's back"):
            shutil.copy2(self._keyring, self.home / "keyring.after")
            shutil.copy2(self.home / "keyring.before", self._keyring)
            sign = self.stage.wait_for_badge(self.job["id"], "drift", "unapproved")
            self.tell.say(f"the badge is gone: {sign['label']}")
            self.tell.say(f"alarm: {self._drifts()[0]['what']}")
        with self.tell.step("It is undone, and the badge comes back"):
            shutil.copy2(self.home / "keyring.after", self._keyring)
            sign = self.stage.wait_for_badge(self.job["id"], "approved_from")
            self.tell.say(f"the badge reads: {sign['label']}")
            for name in ("keyring.before", "keyring.after"):
                (self.home / name).unlink()

    @property
    def _keyring(self) -> Path:
        return Path(self.repository["location"]) / str(self.job["id"]) / "keyring"

    def _drifts(self) -> list[dict[str, Any]]:
        def some() -> list[dict[str, Any]] | None:
            found: list[dict[str, Any]] = expect(self.clients["irene"].get(f"{API}/drifts/"), 200)["results"]
            return found or None

        return wait_for("the drift", some)

    def _answers(self) -> list[dict[str, str]]:
        procedure = expect(self.clients["olivia"].get(f"{API}/requests/procedure/"), 200)
        return [
            {"question": question, "answer": "Yes, as the procedure asks."}
            for question in procedure["procedure_questions"]
        ]

    def _try_to_open(self, point: str, password: str) -> str | None:
        """Restore a point from the folder alone, without the database: None, or why it did not open."""
        to = self.home / "restores" / "without-database"
        shutil.rmtree(to, ignore_errors=True)
        reader, writer = os.pipe()
        os.write(writer, password.encode())
        os.close(writer)
        words = ["--from", str(self._keyring.parent), "--restore-point", point, "--to", str(to)]
        ended = subprocess.run(
            [sys.executable, "manage.py", "restore", *words, "--password-file", f"/dev/fd/{reader}"],
            cwd=PROJECT,
            pass_fds=[reader],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        os.close(reader)
        if ended.returncode == 0 and tree.digests(to) != self.restored:
            raise DemoFailed("what came back without the database is not what was backed up")
        shutil.rmtree(to, ignore_errors=True)
        return (
            None
            if ended.returncode == 0
            else ended.stderr.strip().splitlines()[-1].removeprefix("CommandError: ")
        )
