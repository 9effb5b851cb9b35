"""The commands: a restore from the folder and the password alone, and the ones that queue and watch."""

import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from encryption.models import JobSession
from encryption.services import backups
from tests.encryption.conftest import FIRST

pytestmark = pytest.mark.django_db
MANAGE = [sys.executable, "manage.py"]


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text(FIRST + "\n")
    return path


def test_restore_without_any_database(activated, tmp_path, password_file):
    """A new server: the folder, the password, and nothing else."""
    point = activated.run()
    environment = {"PATH": os.environ["PATH"], "VEEAMSEC_HOME": str(tmp_path / "nowhere")}
    arguments = ["--from", activated.folder, "--restore-point", point.pk, "--to", tmp_path / "restored"]
    command = [*MANAGE, "restore", *map(str, arguments), "--password-file", str(password_file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "restored" / "a.txt").read_text() == "hello"


def test_wrong_password_is_told(activated, tmp_path, password_file):
    point = activated.run()
    password_file.write_text("not this one at all\n")
    with pytest.raises(CommandError, match="does not open"):
        call_command(
            "restore",
            **{"folder": activated.folder, "restore_point": point.pk, "to": tmp_path / "r"},
            password_file=password_file,
        )


def test_password_is_asked_for(activated, tmp_path, monkeypatch):
    point = activated.run()
    monkeypatch.setattr("getpass.getpass", lambda _prompt: FIRST)
    call_command("restore", folder=activated.folder, restore_point=point.pk, to=tmp_path / "restored")
    assert (tmp_path / "restored" / "a.txt").exists()


def test_plain_is_asked_for_by_name(bench, tmp_path):
    point = bench.run()
    call_command("restore", folder=bench.folder, restore_point=point.pk, to=tmp_path / "restored", plain=True)
    assert (tmp_path / "restored" / "a.txt").exists()


@pytest.fixture
def worker(monkeypatch):
    """A worker that does at once what a command watches."""

    def work(_seconds: float) -> None:
        for session in JobSession.objects.filter(state="queued"):
            run = backups.run_backup if session.kind == "backup" else backups.run_restore
            run(session.pk)

    monkeypatch.setattr("time.sleep", work)


def test_backup_and_restore_are_watched(bench, tmp_path, worker, capsys):
    call_command("backup", "Ledgers")
    point = bench.job.restore_points.get()
    call_command("restore", str(point.pk), to=tmp_path / "restored")
    assert f"Restore point {point.pk}" in capsys.readouterr().out
    assert (tmp_path / "restored" / "a.txt").exists()


def test_failed_run_fails_the_command(bench, worker):
    bench.source.rename(bench.source.with_name("away"))
    with pytest.raises(CommandError):
        call_command("backup", str(bench.job.pk))


def test_unknown_job_is_told(db):
    with pytest.raises(CommandError, match="no job"):
        call_command("backup", "nothing")
