"""The peer as a person meets it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from veeamsec.peer.console import HELP, Unclear, obey
from veeamsec.peer.seeds.small import COPIES, KMS, STANDARD, UNUSED

ROOT = Path(__file__).resolve().parents[2]


def test_password_is_changed_as_somebody(peer):
    before = peer.control.modified_at(STANDARD)
    obey(peer.control, f"somebody changes a password {STANDARD} as TECH\\ann")
    assert peer.control.modified_at(STANDARD) > before
    assert peer.control.events[-1].fields["UserName"] == "TECH\\ann"


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (f"somebody changes a hint {STANDARD} to Another", 31700),
        ("somebody creates a password New one", 31600),
        (f"somebody deletes a password {UNUSED}", 31800),
        ("somebody switches off Finance VMs", 23050),
        (f"somebody switches on Test VMs with {COPIES}", 23050),
        (f"Somebody switches to KMS Finance VMs with {KMS}", 23050),
        ("four eyes on", 42400),
    ],
)
def test_deed_is_done(peer, line, number):
    obey(peer.control, line)
    assert peer.control.events[-1].number == number


def test_run_all_runs_what_has_backups(peer):
    assert obey(peer.control, "run all") == "25 restore points."


def test_run_of_one_job(peer):
    assert obey(peer.control, "run Finance VMs") == "2 restore points."


def test_refusal_is_told(peer):
    assert obey(peer.control, f"somebody deletes a password {COPIES}").startswith("The server refuses")


@pytest.mark.parametrize("line", ["what", "run Nothing", "somebody changes a password Nothing"])
def test_unclear_line_changes_nothing(peer, line):
    with pytest.raises(Unclear):
        obey(peer.control, line)
    assert peer.control.events == []


def test_lists_hold_no_value(peer):
    said = " ".join(obey(peer.control, line) for line in ("passwords", "jobs", "events", "calls", "help"))
    assert HELP in said
    assert [one.value for one in peer.control.at.passwords.values() if one.value in said] == []


def test_quit_ends(peer):
    with pytest.raises(EOFError):
        obey(peer.control, "quit")


def started(home: Path, *words: str, **how) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "veeamsec.peer",
            "--port",
            "0",
            "--home",
            str(home),
            "--seed",
            "small",
            *words,
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **how,
    )


def test_process_obeys_says_no_value_and_ends(tmp_path):
    process = started(tmp_path)
    first = process.stdout.readline()
    told = json.loads((tmp_path / "veeam-peer.json").read_text())
    mode = (tmp_path / "veeam-peer.json").stat().st_mode & 0o777
    said, _ = process.communicate(f"somebody changes a password {STANDARD}\nquit\n", timeout=20)
    assert (process.returncode, mode, told["url"] in first) == (0, 0o600, True)
    assert f"changed the password {STANDARD}" in said
    secrets = [*told["accounts"].values(), *told["encryption_passwords"].values()]
    assert [one for one in secrets if one in first + said] == []
    assert not (tmp_path / "veeam-peer.json").exists()


def test_process_ends_when_its_time_is_over(tmp_path):
    process = started(tmp_path, "--minutes", "0.01")
    process.stdin.close()
    assert process.wait(20) == 0
    process.stdout.close()


def test_process_ends_with_its_parent(tmp_path):
    command = (
        "import subprocess, sys, time;"
        "words = [sys.executable, '-m', 'veeamsec.peer', '--port', '0', '--seed', 'small',"
        f" '--home', {str(tmp_path)!r}];"
        "child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL);"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    until = time.monotonic() + 20
    while not (tmp_path / "veeam-peer.json").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    parent.send_signal(signal.SIGKILL)
    parent.wait(5)
    parent.stdout.close()
    while alive(child):
        assert time.monotonic() < until
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
