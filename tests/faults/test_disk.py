"""P11: a disk that is full or fails, at each write of a re-key and of a backup: nothing is lost, all is told.

First by the errors that single calls give, one after the other; then on a file system that really is full.
"""

import errno
import os
import subprocess
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from audit.alarms import Kind
from audit.models import Alarm
from audit.queue import Task
from audit.services import verification
from encryption import selectors
from encryption.engines.native import batches
from encryption.models import JobSession, Rekey, RekeyJob
from encryption.services import backups
from tests.encryption.conftest import FIRST, Bench, make_bench
from tests.faults.launcher import Fault, wrapped
from tests.faults.shelf import fill, opened_by
from tests.faults.worker import deliver, recover, waiting

pytestmark = pytest.mark.django_db(transaction=True)

LINES = 300
PLACES = ["write", "fsync", "rename"]
ERRORS = [errno.ENOSPC, errno.EIO]


def shelf(home, tmp_path) -> Bench:
    bench = make_bench(home, tmp_path, full_every=1)
    bench.rekey("activate", FIRST)
    bench.run()
    fill(bench, LINES)
    work(Task.REKEY_JOB, Task.BACKUP)
    return bench


@pytest.fixture
def bench(transactional_db, vsec_home, tmp_path, monkeypatch) -> Bench:
    """An activated job with one real restore point and some hundred lines, which are written by fives."""
    monkeypatch.setattr(batches, "_STRETCH", 1000)
    return shelf(vsec_home, tmp_path)


@pytest.fixture
def small_disk(transactional_db, vsec_home, tmp_path):
    """The same on a file system of its own, of two megabytes."""
    place = tmp_path / "place"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield shelf(vsec_home, tmp_path)
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def work(*tasks: Task) -> None:
    for row in waiting(*tasks):
        deliver(row)


def change(bench: Bench) -> Rekey:
    return bench.order("change", f"copper-Lantern-meadow-{os.urandom(8).hex()}")


def struck_by(fault: Fault, task: Task) -> bool:
    """Work on a task while the disk fails once; whether it did."""
    seen: Counter[str] = Counter()
    with wrapped(fault.place, fault, seen):
        work(task)
    return seen[fault.place] >= fault.number


def whole(bench: Bench) -> None:
    """Assert that the password in force opens every line, and that the log verifies."""
    opened, lines = opened_by(bench, selectors.current_version(bench.job.pk))
    assert opened == lines >= LINES
    assert verification.verify().findings == ()


def raised(*kinds: Kind) -> set[str]:
    alarms = Alarm.objects.filter(kind__in=kinds).exclude(state=Alarm.State.RESOLVED)
    return {alarm.text for alarm in alarms}


@pytest.mark.parametrize("code", ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("place", PLACES)
def test_a_rekey_on_a_failing_disk(bench, place, code):
    """P11: the old keyring stands, an alarm says why, and the next try succeeds."""
    number = 0
    while True:
        before, rekey = (bench.folder / "keyring").read_bytes(), change(bench)
        number += 1 if number < 3 or place != "write" else LINES // 15
        if not struck_by(Fault(place, number, code), Task.REKEY_JOB):
            break
        step = rekey.steps.get()
        assert (step.state, step.error) == (RekeyJob.State.RUNNING, os.strerror(code))
        assert bench.head() in (step.old_fingerprint, step.new_fingerprint)
        if bench.head() == step.old_fingerprint:
            assert (bench.folder / "keyring").read_bytes() == before
            whole(bench)
        assert any(os.strerror(code) in text for text in raised(Kind.REKEY_STUCK))
        recover(Task.REKEY_JOB)
        step.refresh_from_db()
        assert step.state == RekeyJob.State.SUCCEEDED
        assert raised(Kind.REKEY_STUCK) == set()
        whole(bench)
    assert number > 1


@pytest.mark.parametrize("code", ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize("place", PLACES)
def test_a_backup_on_a_failing_disk(bench, place, code):
    """P11: nothing half is left, session and alarm say why, and the next run succeeds."""
    number, alarm = 1, Kind.DISK_FULL if code == errno.ENOSPC else Kind.JOB_FAILED
    while True:
        session = backups.start_backup(bench.job.pk, by=bench.user)
        if not struck_by(Fault(place, number, code), Task.BACKUP):
            break
        session.refresh_from_db()
        assert (session.state, session.error) == (JobSession.State.FAILED, os.strerror(code))
        assert any(os.strerror(code) in text for text in raised(alarm))
        assert not list(bench.folder.glob("*.part"))
        whole(bench)
        bench.run()
        assert raised(alarm) == set()
        number += 1
    assert number > 1


def test_a_rekey_whose_time_ran_out_on_a_failing_disk_is_failed(bench):
    """P11: failed, only after the keyring was read back as the old one; a new request may follow."""
    rekey = change(bench)
    Rekey.objects.filter(pk=rekey.pk).update(retry_until=timezone.now() - timedelta(seconds=1))
    assert struck_by(Fault("fsync", 1, errno.ENOSPC), Task.REKEY_JOB)
    step = rekey.steps.get()
    assert (step.state, bench.head()) == (RekeyJob.State.FAILED, step.old_fingerprint)
    assert raised(Kind.REKEY_FAILED)
    whole(bench)
    bench.rekey("change", "another-Lantern-meadow-77")
    whole(bench)


def free(place: Path) -> int:
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize


def leave(place: Path, room: int) -> None:
    """Fill a file system until so many bytes are left."""
    ballast = place / "ballast"
    ballast.unlink(missing_ok=True)
    ballast.write_bytes(bytes(max(0, free(place) - room)))


def test_a_rekey_on_a_full_disk(small_disk):
    """P11: with ever more room, refused until there is enough; the old keyring stands until then."""
    place, step = small_disk.folder.parent, change(small_disk).steps.get()
    need = (small_disk.folder / "keyring").stat().st_size
    for room in range(0, need, need // 5):
        leave(place, room)
        work(Task.REKEY_JOB)
        step.refresh_from_db()
        assert (step.error, small_disk.head()) == (os.strerror(errno.ENOSPC), step.old_fingerprint)
        assert not list(small_disk.folder.glob("*.part"))
        whole(small_disk)
        make_due(Task.REKEY_JOB)
    leave(place, 2 * need)
    work(Task.REKEY_JOB)
    step.refresh_from_db()
    assert (step.state, small_disk.head()) == (RekeyJob.State.SUCCEEDED, step.new_fingerprint)
    whole(small_disk)


def make_due(task: Task) -> None:
    """Let the wait before the next try pass."""
    for row in waiting(task):
        row.due = timezone.now()
        row.save(update_fields=["due"])


def test_a_backup_on_a_full_disk(small_disk):
    """P11: the same for a run: no half restore point, and the keyring is whole."""
    (small_disk.source / "big").write_bytes(os.urandom(400_000))
    place, points = small_disk.folder.parent, set(small_disk.folder.glob("*.vsb"))
    for room in range(0, 400_000, 90_000):
        leave(place, room)
        session = backups.start_backup(small_disk.job.pk, by=small_disk.user)
        work(Task.BACKUP)
        session.refresh_from_db()
        assert (session.state, session.error) == (JobSession.State.FAILED, os.strerror(errno.ENOSPC))
        assert set(small_disk.folder.iterdir()) - points == {
            small_disk.folder / name for name in ("keyring", "lock")
        }
        whole(small_disk)
    leave(place, 600_000)
    small_disk.run()
    whole(small_disk)
