"""P9: during a whole demo, the passwords that it uses are looked for everywhere, and found nowhere."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults.play import WORD
from veeamsec import servers
from veeamsec.children import PROJECT
from veeamsec.home import Home
from veeamsec.logs import Line

SAMPLE_SECONDS = 0.005
# A process is read at each sample while it is young, when arguments may change, and now and then later.
YOUNG = 40


def forms(word: str) -> set[bytes]:
    """A word as it might lie somewhere: plain, wide, as hex, and in base64 at any offset."""
    plain = word.encode()
    coded = {base64.b64encode(b"x" * shift + plain)[4 * (shift > 0) : -4] for shift in range(3)}
    return {plain, word.encode("utf-16-le"), plain.hex().encode(), plain.hex().upper().encode(), *coded}


@dataclass
class Watch:
    """What the processes below one showed of themselves."""

    seen: dict[int, int] = field(default_factory=dict)
    told: set[bytes] = field(default_factory=set)
    cores: set[str] = field(default_factory=set)
    samples: int = 0

    def sample(self, pid: int) -> None:
        """Read arguments and environment of a process and of all below it."""
        self.samples += 1
        for one in family(pid):
            age = self.seen[one] = self.seen.get(one, 0) + 1
            if age > YOUNG and age % YOUNG:
                continue
            try:
                self.told |= {Path(f"/proc/{one}/{what}").read_bytes() for what in ("cmdline", "environ")}
                limits = Path(f"/proc/{one}/limits").read_text()
            except OSError:
                continue
            if one != pid and age == YOUNG:
                self.cores.add(re.search(r"core file size +(\w+)", limits)[1])


def family(pid: int) -> Iterator[int]:
    yield pid
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in below:
        yield from family(int(child))


@pytest.fixture(scope="module")
def played() -> Iterator[tuple[Home, Path, Watch]]:
    """The demo, played once under watch: its home, what was looted from it, what its processes showed."""
    folder = Path(tempfile.mkdtemp(prefix="vs-demo-")).resolve()
    home, loot, watch = Home(folder / "home"), folder / "loot", Watch()
    loot.mkdir()
    told = {name: value for name, value in os.environ.items() if not name.startswith("VEEAMSEC_")}
    told |= {"DJANGO_SETTINGS_MODULE": "veeamsec.settings", "VEEAMSEC_HOME": str(home.path)}
    with (loot / "said").open("w") as said:
        demo = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.play", home.path, loot],
            cwd=PROJECT,
            env=told,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        until = time.monotonic() + 400
        while demo.poll() is None and time.monotonic() < until:
            watch.sample(demo.pid)
            time.sleep(SAMPLE_SECONDS)
    try:
        assert demo.poll() == 0, (loot / "said").read_text()[-2000:]
        yield home, loot, watch
    finally:
        if demo.poll() is None:
            demo.terminate()
            demo.wait(90)
        servers.forget(home)
        shutil.rmtree(folder)


pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]


@pytest.fixture(scope="module")
def words(played: tuple[Home, Path, Watch]) -> set[str]:
    """Every secret of the demo: encryption passwords, sign-in passwords, TOTP secrets, a token."""
    users = json.loads((played[0].path / "credentials.json").read_text())["users"]
    typed = {user["totp_secret"] for user in users} | {user["token"] for user in users}
    return {WORD.format(number) for number in range(1, len(users) + 3)} | (typed - {None})


def found_in(words: set[str], places: dict[str, bytes]) -> set[tuple[str, str]]:
    wanted = [(word, form) for word in words for form in forms(word)]
    return {(place, word) for place, data in places.items() for word, form in wanted if form in data}


def test_p9_no_row_message_log_mail_or_file_holds_a_password(played, words):
    """P9: rows, broker and cache, all that was sent to them, what was said, and every file but one."""
    home, loot, _ = played
    places = {path.name: path.read_bytes() for path in loot.iterdir()}
    assert all(len(data) > 100 for data in places.values())
    assert set(places) == {"said", "rows", "broker", "overheard", "refusals"}
    for folder in (home.path, home.data):
        places |= {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    shown = places.pop(str(home.path / "credentials.json"))
    assert found_in(words, {"shown": shown}), "the search finds nothing even where it stands"
    assert any("/mail/" in place for place in places)
    assert found_in(words, places) == set()


def test_p9_no_process_shows_a_password(played, words):
    """P9: arguments and environment of every process of the demo, each five milliseconds."""
    _, _, watch = played
    assert len(watch.seen) > 15
    assert watch.samples > 500
    assert found_in(words, {"processes": b"\0".join(watch.told)}) == set()


def test_no_process_may_dump_core(played):
    """P9: a core would hold keys."""
    assert played[2].cores == {"0"}


@pytest.mark.django_db
def test_p9_an_error_page_shows_nothing(client, settings, monkeypatch, caplog):
    """P9: with DEBUG off, an error in the middle of asking shows and logs neither the body nor a value."""
    from accounts.models import Role
    from approvals.services import requests
    from tests.accounts import factories

    def break_down(kind: str, **given: object) -> None:
        secret = given.get("new_password")
        raise RuntimeError(f"{kind} broke with {secret}")

    assert not settings.DEBUG
    word = WORD.format(77)
    monkeypatch.setattr(requests, "ask", break_down)
    client.force_login(factories.make_user("olga", role=Role.OPERATOR))
    client.raise_request_exception = False
    body = {"kind": "activate_encryption", "reason": "x", "new_password": word, "jobs": [], "hint": "h"}
    answer = client.post("/api/v1/requests/", json.dumps(body), content_type="application/json")
    assert answer.status_code == 500
    logged = "\n".join(Line("%(message)s").format(record) for record in caplog.records)
    assert "RuntimeError" in logged
    assert found_in({word}, {"page": answer.content, "log": logged.encode()}) == set()
