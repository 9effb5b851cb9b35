"""The story of a Veeam server, played once with everything real."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from veeamsec import servers
from veeamsec.children import PROJECT
from veeamsec.home import Home

SECONDS = 400


@pytest.fixture(scope="module")
def played() -> Iterator[tuple[Path, subprocess.CompletedProcess[str]]]:
    """One performance on a home of its own, with what it said."""
    # Not pytest's own folder: a socket's path must stay short.
    with tempfile.TemporaryDirectory(prefix="vv-") as folder:
        home = Path(folder).resolve() / "demo"
        told = {name: value for name, value in os.environ.items() if not name.startswith("VEEAMSEC_")}
        said = subprocess.run(
            [sys.executable, "manage.py", "demo_veeam"],
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
def test_story_of_a_veeam_server_is_told_to_its_end(
    played: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """P1, P10: read, alarmed, adopted, activated, changed, proved, seen, explained, reconciled."""
    _, said = played
    assert said.returncode == 0, said.stdout + said.stderr
    for words in (
        "compared; account",
        "alarm: veeam.password_changed, by TECH\\user1, from event 31700",
        "Veeam says that it is the password",
        "40 of 40 jobs done, read back and proved",
        "the badge reads: Approved from",
        "the badge reads: Changed behind VeeamSec's back",
        "0 exceptions without an owner",
        "0 exceptions without an owner, 0 not judged yet",
        "none of 3 values stands in a log, a mail or the report",
        "The log is what was written",
    ):
        assert words in said.stdout


@pytest.mark.xdist_group("demo")
def test_report_of_the_first_hour_is_left(
    played: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    home, said = played
    assert said.returncode == 0, said.stdout + said.stderr
    assert "<h1" in (home / "report.html").read_text()
