"""P11: SIGKILL at twenty marks of progress, drawn from a printed seed."""

import random
import time

import pytest

from audit.queue import Task
from encryption.services import backups
from tests.faults.attacks import BACKUP_MARKS, REKEY_MARKS, SEED, backed_up, bench, rekeyed, say, work
from tests.faults.launcher import Fault, count

assert bench

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.mark.parametrize("half", [1, 2])
def test_killed_at_marks_of_a_seed(bench, half):
    """Ten kills anywhere in the work; the seed is printed, and repeats them."""
    dice = random.Random(SEED + half)
    changed = bench.order("change", f"seeded-{SEED}-Lantern-meadow")
    lines = count("lines", lambda: work(Task.REKEY_JOB))
    bench.attest(changed)
    backups.start_backup(bench.job.pk, by=bench.user)
    writes = count("write", lambda: work(Task.BACKUP))
    marks = [(rekeyed, Fault("lines", dice.randint(1, lines))) for _ in range(REKEY_MARKS)]
    marks += [(backed_up, Fault("write", dice.randint(1, writes))) for _ in range(BACKUP_MARKS)]
    for attack, fault in marks:
        began = time.monotonic()
        struck = attack(bench, fault)
        total = lines if fault.place == "lines" else writes
        took = f"{time.monotonic() - began:.1f} s"
        say(f"seed {SEED}: killed at {fault.place} {fault.number} of {total}, whole again in {took}")
        assert struck, f"seed {SEED}: {fault} did not happen"
