"""What goes wrong in silence is told: work not begun, entries under no seal, seals kept here alone."""

import os
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from audit import queue, selectors
from audit import services as audit
from audit.alarms import Kind
from audit.models import Checkpoint, Outbox
from audit.services import outside, watching

pytestmark = pytest.mark.django_db
ANOTHER_DISK = Path("/dev/shm")


def raised() -> set[str]:
    return set(selectors.open_alarms().values_list("kind", flat=True))


def in_minutes(count: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(minutes=count), tick=False)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder on another disk."""
    if not ANOTHER_DISK.is_dir() or ANOTHER_DISK.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev:
        pytest.skip("this machine has one disk")
    with tempfile.TemporaryDirectory(dir=ANOTHER_DISK) as folder:
        yield Path(folder)


@pytest.mark.alarm("outbox.stuck")
def test_work_that_no_worker_takes_is_told_and_ends_when_one_does(bells):
    with transaction.atomic():
        queue.ring(queue.Task.ERASE_SECRET, uuid4())
    watching.watch()
    assert Kind.OUTBOX_STUCK not in raised()
    with in_minutes(16):
        watching.watch()
        found = selectors.open_alarms().get(kind=Kind.OUTBOX_STUCK)
        assert (found.subject_type, found.severity) == ("encryption.erase_secret", "critical")
        Outbox.objects.filter(name=queue.Task.ERASE_SECRET).update(done_at=timezone.now())
        watching.watch()
        assert Kind.OUTBOX_STUCK not in raised()


def test_work_that_a_worker_holds_is_not_stuck(bells):
    with transaction.atomic():
        queue.ring(queue.Task.ERASE_SECRET, uuid4())
    with in_minutes(16):
        Outbox.objects.update(lease_until=timezone.now() + timedelta(minutes=5))
        watching.watch()
        assert Kind.OUTBOX_STUCK not in raised()


def test_work_that_is_due_later_is_not_stuck(bells):
    with transaction.atomic():
        queue.ring(queue.Task.ERASE_SECRET, uuid4(), due=timezone.now() + timedelta(days=2))
    with in_minutes(16):
        watching.watch()
        assert Kind.OUTBOX_STUCK not in raised()


@pytest.mark.alarm("log.unsealed")
def test_entries_under_no_seal_are_told_until_one_is_signed(signing, write):
    write(3)
    audit.sign_checkpoint()
    write(2)
    watching.watch()
    assert Kind.LOG_UNSEALED not in raised()
    with in_minutes(11):
        watching.watch()
        assert "Entry 3 " in selectors.open_alarms().get(kind=Kind.LOG_UNSEALED).text
        audit.sign_checkpoint()
        watching.watch()
        assert Kind.LOG_UNSEALED not in raised()


def test_seals_that_lie_here_alone_are_told_after_a_day(signing, write, settings):
    settings.VEEAMSEC_CHECKPOINTS_OUTSIDE = None
    write(3)
    audit.sign_checkpoint()
    watching.watch()
    assert Kind.CHECKPOINT_INSIDE not in raised()
    with in_minutes(24 * 60 + 1):
        watching.watch()
        assert Kind.CHECKPOINT_INSIDE in raised()


@pytest.mark.alarm("checkpoint.inside")
def test_the_alarm_ends_once_the_seals_lie_outside(signing, write, settings, place):
    write(3)
    audit.sign_checkpoint()
    with in_minutes(24 * 60 + 1):
        watching.watch()
        settings.VEEAMSEC_CHECKPOINTS_OUTSIDE = place
        assert watching.copy_checkpoints() == 3
        watching.watch()
        assert Kind.CHECKPOINT_INSIDE not in raised()


def test_what_lies_outside_is_the_very_note(signing, write, settings, place):
    settings.VEEAMSEC_CHECKPOINTS_OUTSIDE = place
    for _ in range(3):
        write(2)
        audit.sign_checkpoint()
    assert watching.copy_checkpoints() == 6
    copied = {path.name: path.read_bytes() for path in place.rglob("*.note")}
    assert copied == {path.name: path.read_bytes() for path in outside.paths()}


def test_only_new_notes_are_copied(signing, write, settings, place):
    settings.VEEAMSEC_CHECKPOINTS_OUTSIDE = place
    write(2)
    audit.sign_checkpoint()
    watching.copy_checkpoints()
    [first] = place.rglob("*.note")
    before = first.stat().st_ino
    write(2)
    audit.sign_checkpoint()
    assert watching.copy_checkpoints() == 4
    assert (first.stat().st_ino, len(list(place.rglob("*.note")))) == (before, 2)


def test_a_folder_on_our_own_disk_is_not_outside(signing, write, settings):
    settings.VEEAMSEC_CHECKPOINTS_OUTSIDE = settings.VEEAMSEC_HOME / "elsewhere"
    settings.VEEAMSEC_CHECKPOINTS_OUTSIDE.mkdir()
    write(3)
    audit.sign_checkpoint()
    assert watching.copy_checkpoints() == 0
    with in_minutes(24 * 60 + 1):
        watching.watch()
        assert "own disk" in selectors.open_alarms().get(kind=Kind.CHECKPOINT_INSIDE).text


def test_a_folder_that_is_away_is_told(signing, write, settings):
    settings.VEEAMSEC_CHECKPOINTS_OUTSIDE = ANOTHER_DISK / f"gone-{os.getpid()}"
    write(3)
    audit.sign_checkpoint()
    with pytest.raises(OSError, match="gone"):
        watching.copy_checkpoints()
    Checkpoint.objects.get()
    with in_minutes(24 * 60 + 1):
        watching.watch()
        assert Kind.CHECKPOINT_INSIDE in raised()
