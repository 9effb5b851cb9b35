"""The demo, played once with everything real; and a home that is not a demo's is left alone."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from veeamsec import servers
from veeamsec.children import PROJECT
from veeamsec.demo.client import DemoFailed
from veeamsec.demo.home import fresh
from veeamsec.home import Home

SECONDS = 300


@pytest.fixture(scope="module")
def played() -> Iterator[tuple[Path, subprocess.CompletedProcess[str]]]:
    """One performance on a home of its own, with what it said."""
    # Not pytest's own folder: a socket's path must stay short.
    with tempfile.TemporaryDirectory(prefix="vd-") as folder:
        home = Path(folder).resolve() / "demo"
        told = {name: value for name, value in os.environ.items() if not name.startswith("VEEAMSEC_")}
        said = subprocess.run(
            [sys.executable, "manage.py", "demo", "--port=0"],
            cwd=PROJECT,
            env=told | {"VEEAMSEC_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        yield home, said
        servers.forget(Home(home))


@pytest.mark.xdist_group("demo")
def test_demo_tells_the_whole_story(played: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    _, said = played
    assert said.returncode == 0, said.stdout + said.stderr
    for words in (
        "Olivia herself is refused",
        "her second account is refused",
        "a superuser is refused",
        "a token is refused",
        "the new one: every file came back, equal by hash",
        "files, all equal",
        "the badge is gone",
        "The log is what was written",
    ):
        assert words in said.stdout


@pytest.mark.xdist_group("demo")
def test_demo_leaves_credentials_as_designed(
    played: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    home, said = played
    assert said.returncode == 0, said.stdout + said.stderr
    path = home / "credentials.json"
    left = json.loads(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o600
    assert set(left) == {"url", "users", "job", "repository", "restore_points", "current_password"}
    fields = {"username", "password", "totp_secret", "role", "person", "token"}
    assert all(set(user) == fields for user in left["users"])
    folder = Path(left["repository"]) / left["job"]
    assert (folder / "keyring").is_file()
    assert all((folder / f"{point}.vsb").is_file() for point in left["restore_points"])


def test_home_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(DemoFailed, match="something else"):
        fresh(tmp_path)
    assert (tmp_path / "precious").exists()
