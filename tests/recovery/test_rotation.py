"""A keyset is replaced over many keys; killed anywhere, every point is recoverable, and it resumes."""

import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from encryption.crypto import keysets
from encryption.engines.native import protection as protecting
from encryption.engines.native.recovery import verify_line
from encryption.errors import EngineError, MissingKeyLine
from tests.encryption.native.conftest import bring, job, plain, run, small  # noqa: F401
from tests.faults.launcher import Fault, killed
from tests.recovery import rotate, shelf

# As many as `make test` has time for; `make rotation-long` names more.
POINTS = int(os.environ.get("ROTATION_POINTS", "600"))
KILLS = int(os.environ.get("ROTATION_KILLS", "6"))
# After a kill so many are really opened, spread evenly; at the end all.
SAMPLE = 600
SEED = int(os.environ.get("FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
OLD, NEW = (b"o" * 32, uuid4()), (b"n" * 32, uuid4())


def say(text: str) -> None:
    """Shown with a failure, and by `make rotation-long`."""
    sys.stdout.write(f"{text}\n")


def opens(folder: Path, point: UUID) -> set[UUID]:
    """Which keysets really open a point, by their private halves."""
    found = set()
    for line in protecting.read(folder, point):
        verify_line(line, rotate.SIGNING.public_key())
        seed = {OLD[1]: OLD[0], NEW[1]: NEW[0]}[line.keyset]
        if len(keysets.opener(keysets.X_WING, seed)(line.wrapped, line.bound_to)) == 32:
            found.add(line.keyset)
    return found


def sample(points: Sequence[UUID]) -> Sequence[UUID]:
    return points[:: max(1, len(points) // SAMPLE)]


def test_p11_a_rotation_that_is_killed_leaves_every_point_recoverable_and_resumes(job, small, run):  # noqa: F811
    """P11, for keysets: at every instant each point answers to the old or the new one, at last to the new."""
    by = rotate.protection(*OLD)
    points = [run(job, small, protection=by) for _ in range(2)] + shelf.fill(job, POINTS - 2, by)
    dice, struck, began = random.Random(SEED), 0, time.monotonic()
    say(f"seed {SEED}: {POINTS} wrapped keys, {KILLS} kills")
    while struck < KILLS:
        # Each goes on where the last was killed: by a share of the whole, so that none comes to the end.
        fault = Fault(dice.choice(["fsync", "rename", "write"]), dice.randint(1, POINTS // (KILLS + 1)))
        assert killed(lambda: rotate.main(job, *NEW), fault), f"seed {SEED}: {fault} did not happen"
        struck += 1
        found = [opens(job, point) for point in sample(points)]
        assert all(one in ({OLD[1]}, {NEW[1]}) for one in found)
        done = found.count({NEW[1]}) / len(found)
        say(f"{fault.place} {fault.number}: {done:.0%} done, {time.monotonic() - began:.0f} s")
    left = rotate.main(job, *NEW)
    say(f"{left} at last, without a kill, {time.monotonic() - began:.0f} s")
    assert all(opens(job, point) == {NEW[1]} for point in points)
    assert not list(job.glob("*.part"))


def test_a_point_of_the_shelf_is_a_restore_point(job, bring):  # noqa: F811
    """What is filled in by the thousand is no dummy: it restores."""
    (point,) = shelf.fill(job, 1, rotate.protection(*OLD))
    assert list(bring(job, point).iterdir()) == []


def test_a_point_without_its_key_line_ends_a_rotation_after_those_before_it(job):  # noqa: F811
    """Nor does it keep those before it from the new keyset."""
    points = shelf.fill(job, 5, rotate.protection(*OLD))
    keyring = job / "keyring"
    lines = keyring.read_bytes().splitlines(keepends=True)
    keyring.write_bytes(b"".join(line for line in lines if str(points[3]).encode() not in line))
    with pytest.raises(MissingKeyLine):
        protecting.cover(job, points, keys=rotate.roots, by=rotate.protection(*NEW))
    assert [opens(job, point) == {NEW[1]} for point in points] == [True, True, True, False, False]


def test_a_damaged_header_ends_a_rotation_after_those_before_it(job):  # noqa: F811
    points = shelf.fill(job, 5, rotate.protection(*OLD))
    (job / f"{points[3]}.vsb").write_bytes(b"no data file")
    with pytest.raises(EngineError):
        protecting.cover(job, points, keys=rotate.roots, by=rotate.protection(*NEW))
    assert [opens(job, point) == {NEW[1]} for point in points] == [True, True, True, False, False]


def test_p11_what_a_killed_writer_left_is_no_obstacle(job, small, run):  # noqa: F811
    """P11: a part file of a rotation that died before its rename is cleared away by the next one."""
    point = run(job, small, protection=rotate.protection(*OLD))
    left = job / f"{protecting.recovery_name(point)}.part"
    left.write_bytes(b"half a line")
    assert rotate.main(job, *NEW) == 1
    assert (opens(job, point), left.exists()) == ({NEW[1]}, False)


@pytest.mark.parametrize("suite", [keysets.RSA, keysets.X_WING])
def test_covering_needs_no_data(job, small, run, suite):  # noqa: F811
    """No block is read: the data may be as large as it is."""
    point = run(job, small)
    data = job / f"{point}.vsb"
    content = bytearray(data.read_bytes())
    first_block = 8 + int.from_bytes(content[4:8])
    content[first_block + 5] ^= 1
    data.write_bytes(content)
    pair = keysets.generate(suite)
    guard = protecting.Guard(uuid4(), suite, pair.public)
    by = protecting.Protection(rotate.SERVER, rotate.SIGNING, (guard,))
    from tests.encryption.native.conftest import roots

    assert protecting.cover(job, [point], keys=roots, by=by) == 1
