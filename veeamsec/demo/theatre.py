"""The stack, the people and the story, put together; what is left is a home that `make run` can open."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from veeamsec.children import PROJECT, environment
from veeamsec.demo.cast import Player, bootstrap_file, cast
from veeamsec.demo.client import Client, DemoFailed
from veeamsec.demo.home import fresh
from veeamsec.demo.stage import API
from veeamsec.demo.story import Story
from veeamsec.demo.telling import Teller, expect, wait_for
from veeamsec.home import Home
from veeamsec.supervisor import stack

# A person would wait for the next observation; the story does not.
OBSERVE_SECONDS = "3"


def perform(home: Path, port: int) -> None:
    """Play everything on a fresh home. Raises DemoFailed with what did not happen."""
    fresh(home)
    os.environ["VEEAMSEC_OBSERVE_SECONDS"] = OBSERVE_SECONDS
    tell, players = Teller(), cast()
    with ExitStack() as running:
        with tell.step("VeeamSec starts: PostgreSQL, Valkey, web, workers and beat"):
            url = running.enter_context(stack(home, port))
        with tell.step("The people arrive: two of Security, an administrator, an operator, an auditor"):
            said = manage(
                home, url, "bootstrap", "--file", "/dev/stdin", text=json.dumps(bootstrap_file(players))
            )
            tell.say(said)
            clients = sign_in(players, url)
            token = manage(home, url, "create_token", "olivia", "--name", "nightly script")
            wait_for("the Security Role to be sealed", lambda: sealed(clients["dora"]))
            tell.say("the worker has signed roster 1; the Security Role is sealed with two seats")
        story = Story(home, players, clients, Client(url, "olivia", token=token), tell)
        story.play()
        with tell.step("The log is verified, entry by entry, against the signed checkpoints"):
            tell.say(manage(home, url, "verify_audit"))
        leave_credentials(home, url, story, token)
    tell.say(f"\nAll of it took {tell.seconds:.0f} s. Open it: VEEAMSEC_HOME={home} make run")
    tell.say(f"Names, passwords and TOTP secrets are in {home / 'credentials.json'} (a demo's only).")


def sign_in(players: dict[str, Player], url: str) -> dict[str, Client]:
    """Everybody signs in as a person does: password, then a code."""
    clients = {}
    for name, one in players.items():
        clients[name] = one.client(url)
        clients[name].sign_in(one.password)
    return clients


def sealed(member: Client) -> bool | None:
    """Whether the Security Role stands, as its page says."""
    return True if expect(member.get(f"{API}/security-role/"), 200)["sealed_at"] else None


def manage(home: Path, url: str, *words: str, text: str = "") -> str:
    """Run a command of manage.py beside the running product; what it said."""
    ended = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env=environment(Home(home), "web", url),
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if ended.returncode:
        raise DemoFailed(f"manage.py {words[0]}: {ended.stdout}{ended.stderr}")
    return ended.stdout.strip()


def leave_credentials(home: Path, url: str, story: Story, token: str) -> None:
    """Write credentials.json (0600): the one place where a demo's passwords stand."""
    users: list[dict[str, Any]] = [
        {
            "username": one.username,
            "password": one.password,
            "totp_secret": one.totp_secret,
            "role": one.role,
            "person": one.person,
            "token": token if one.username == "olivia" else None,
        }
        for one in story.players.values()
    ]
    content = {
        "url": url,
        "users": users,
        "job": story.job["id"],
        "repository": story.repository["location"],
        "restore_points": [point["id"] for point in story.stage.points(story.job["id"])],
        "current_password": story.second,
    }
    path = home / "credentials.json"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=1)
