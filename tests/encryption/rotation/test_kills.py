"""P11: SIGKILL while the master key is rotated, at every place and at marks drawn from a printed seed."""

import os
import random
import sys
import time

import pytest

from encryption.crypto import providers
from encryption.crypto.providers import rotating as files
from encryption.models import MasterRotation
from encryption.services import keyring
from tests.encryption.rotation import held
from tests.faults.launcher import Fault, count, killed

pytestmark = pytest.mark.django_db(transaction=True)

# As many as `make test` has time for; `make rotation-long` names more.
VALUES = int(os.environ.get("ROTATION_VALUES", "400"))
KILLS = int(os.environ.get("ROTATION_KILLS", "6"))
SEED = int(os.environ.get("FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
PLACES = ("fsync", "rename", "link", "commit")


def say(text: str) -> None:
    """Shown with a failure, and by `make rotation-long`."""
    sys.stdout.write(f"{text}\n")


def check(worker, total: int) -> None:
    """Everything opens, and no key is gone that something needs."""
    assert held.check() == total
    current, former = providers.load_master(worker), files.load_former(worker)
    known = {key.mark: key for key in (current, former) if key is not None}
    assert sum(keyring.rest().count(mark) for mark in known) == total


def finish(worker, total: int) -> None:
    """The next call ends what was begun, without any help."""
    held.turn()
    check(worker, total)
    assert not files.is_unfinished(worker)
    assert not MasterRotation.objects.filter(destroyed_at=None).exists()
    assert not [path for path in worker.iterdir() if path.name.endswith((".part", ".going"))]


@pytest.mark.parametrize("place", PLACES)
def test_p11_killed_at_every_call_of_a_place(vsec_home, monkeypatch, place):
    """P11: each sync, rename, link and commit in turn; after each all opens, and the next call ends it."""
    monkeypatch.setattr(keyring, "BATCH", 3)
    held.everything()
    worker, number = vsec_home.keys / "worker", 0
    while killed(held.turn, Fault(place, number + 1)):
        number += 1
        check(worker, 12)
        finish(worker, 12)
    assert number == count(place, held.turn)
    say(f"{place}: killed {number} times")


def test_p11_killed_at_marks_of_a_seed(vsec_home, monkeypatch):
    """P11: the same rotation is killed again and again as it is taken up; the seed is printed."""
    monkeypatch.setattr(keyring, "BATCH", min(keyring.BATCH, max(10, VALUES // 80)))
    held.everything()
    held.versions(VALUES // 2)
    worker, total = vsec_home.keys / "worker", 12 + VALUES
    dice, struck = random.Random(SEED), 0
    began = time.monotonic()
    commits = count("commit", held.turn)
    say(f"seed {SEED}: {total} values, {commits} commits, {time.monotonic() - began:.1f} s undisturbed")
    while struck < KILLS:
        # A third of the way at most, so that one rotation meets several kills.
        place = dice.choices(PLACES, weights=(1, 1, 1, 5))[0]
        fault = Fault(place, dice.randint(1, commits // 3 if place == "commit" else 3))
        was = killed(held.turn, fault)
        struck += was
        began = time.monotonic()
        check(worker, total)
        say(
            f"seed {SEED}: {fault.place} {fault.number} {'struck' if was else 'passed'},"
            f" all opened in {time.monotonic() - began:.1f} s"
        )
    finish(worker, total)
    assert struck == KILLS
