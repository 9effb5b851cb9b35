"""P11: SIGKILL at every sync, rename and commit of a re-key and of a backup."""

import pytest

from encryption.models import RestorePoint
from tests.encryption.conftest import Bench
from tests.faults.attacks import backed_up, bench, rekeyed, say
from tests.faults.launcher import Fault

assert bench

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def everywhere(bench: Bench, attack, place: str, least: int) -> None:
    """Kill at the first, second, … call of a place until one run ends unharmed."""
    number = 0
    while attack(bench, Fault(place, number + 1)):
        number += 1
    say(f"{RestorePoint.objects.count()} restore points: killed at each of {number} × {place}")
    assert number >= least


@pytest.mark.parametrize(("place", "least"), [("fsync", 2), ("rename", 1), ("commit", 2)])
def test_a_rekey_killed_at_every(bench, place, least):
    everywhere(bench, rekeyed, place, least)


@pytest.mark.parametrize(("place", "least"), [("fsync", 3), ("rename", 1), ("commit", 2)])
def test_a_backup_killed_at_every(bench, place, least):
    everywhere(bench, backed_up, place, least)
