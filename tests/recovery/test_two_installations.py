"""A password is lost on one installation and recovered through another: nothing is shared but texts.

Two processes with two homes and two databases. The other one's master key lies in files, in a token or at a
key management server.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connections
from psycopg import sql

from encryption.crypto import keysets
from tests.guards.fixtures import kmip, kmip_server, softhsm  # noqa: F401
from tests.recovery.installation import digests
from veeamsec import servers
from veeamsec.children import PROJECT
from veeamsec.home import Home
from veeamsec.servers import dies_with_parent

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


class Installation:
    """An installation in its own process, told by lines."""

    def __init__(self, home: Home, database: str, shared: Home, errors: IO[bytes], **more: str) -> None:
        host = str(shared.sockets).replace("/", "%2F")
        told = {name: value for name, value in os.environ.items() if not name.startswith("VEEAMSEC_")}
        told |= {"VEEAMSEC_HOME": str(home.path), "VEEAMSEC_ROOTS": str(home.path.parent)}
        told |= {"VEEAMSEC_PROCESS": "owner", **more}
        told |= {"DATABASE_URL": f"postgres://{host}/{database}", "DJANGO_SETTINGS_MODULE": "tests.settings"}
        self.home, self.errors = home, errors
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.recovery.installation"],
            cwd=PROJECT,
            env=told,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            preexec_fn=dies_with_parent(signal.SIGKILL),
            text=True,
        )

    def tell(self, act: str, **given: Any) -> None:
        """Say what to do, and do not wait."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"act": act, **given}) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        """What came of it."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, Path(self.errors.name).read_text()[-4000:]
        return json.loads(line)

    def does(self, act: str, **given: Any) -> Any:
        """Both."""
        self.tell(act, **given)
        return self.hear()

    def end(self) -> None:
        """It ends when nothing more is said."""
        self.process.communicate(timeout=30)


@pytest.fixture
def install(tmp_path: Path, settings: Any) -> Iterator[Callable[..., Installation]]:
    """Make an installation: a new home, and a new database made as this session's own was."""
    shared, template = Home(settings.VEEAMSEC_HOME), settings.DATABASES["default"]["NAME"]
    made: list[Installation] = []

    def install(name: str, **more: str) -> Installation:
        home, database = Home(tmp_path / name / "home"), f"pair_{uuid4().hex[:12]}"
        for role in ("owner", "web", "worker"):
            home.passfile(role).parent.mkdir(parents=True, mode=0o700)
            home.passfile(role).touch(0o600)
            home.passfile(role).write_bytes(shared.passfile(role).read_bytes())
        home.make()
        copied = sql.SQL("CREATE DATABASE {} OWNER veeamsec_owner TEMPLATE {}")
        admin.execute(copied.format(sql.Identifier(database), sql.Identifier(template)))
        errors = stack.enter_context((tmp_path / name / "errors").open("wb"))
        made.append(Installation(home, database, shared, errors, **more))
        return made[-1]

    with contextlib.ExitStack() as stack:
        # A template that somebody is connected to is not copied; this test's own transaction holds nothing.
        connections.close_all()
        admin = stack.enter_context(psycopg.connect(**servers.superuser(shared), autocommit=True))
        yield install
        # The databases go with the session's server.
        for one in made:
            one.end()
            servers.forget(one.home)


@pytest.fixture
def keys(request: pytest.FixtureRequest) -> dict[str, str]:
    """What guards the master keys of the Enterprise Manager's installation."""
    if request.param == "files":
        return {}
    guard = request.getfixturevalue(request.param)
    return {"VEEAMSEC_KEYS": guard.address}


def carried(text: str) -> str:
    """What is left of a text that was mailed, quoted and forwarded."""
    return "Hello,\r\n\r\n> " + text.replace("\n", " \r\n> ") + "\r\nRegards"


@pytest.mark.parametrize("keys", ["files", "softhsm", "kmip"], indirect=True)
@pytest.mark.parametrize("suite", [keysets.RSA, keysets.X_WING])
def test_a_lost_password_is_recovered_through_another_installation(tmp_path, install, keys, suite):
    source = tmp_path / "a" / "source"
    (source / "deep").mkdir(parents=True)
    (source / "one.txt").write_text("one")
    (source / "deep" / "two.bin").write_bytes(os.urandom(300_000))
    before = digests(source)

    ours, other = install("a"), install("b", **keys)
    ours.tell("begin", name="Backup server A")
    other.tell("begin", name="Head office B")
    here, there = ours.hear(), other.hear()
    assert here["server"] != there["server"]
    master = (other.home.keys / "enterprise" / "master.key").read_bytes()
    assert master.startswith(b"veeamsec-master-2 ") == bool(keys)

    announced = other.does("make_keyset", suite=suite)
    ours.does("take_keyset", text=carried(announced["text"]))
    assert other.does("register", text=carried(here["text"]))["state"] == "registered"
    assert ours.does("back_up", source=str(source))["points"] == 1

    ours.does("lose_the_password")
    assert not source.exists()
    assert ours.does("restore", with_case=False) == {"state": "failed", "files": {}}

    request = ours.does("ask_for_help")
    response = other.does("answer", text=carried(request["text"]))
    assert ours.does("open_answer", text=carried(response["text"]))["state"] == "opened"
    assert ours.does("restore", with_case=True) == {"state": "succeeded", "files": before}
