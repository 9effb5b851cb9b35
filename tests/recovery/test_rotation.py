"""A keyset is replaced over many keys; killed anywhere, every point is recoverable, and it resumes."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from encryption.crypto import keysets
from encryption.engines.native import protection as protecting
from encryption.engines.native.recovery import verify_line
from tests.encryption.native.conftest import job, plain, run, small  # noqa: F401
from tests.recovery import rotate

# As many as `make test` has time for; a longer run is named by the environment.
POINTS = int(os.environ.get("ROTATION_POINTS", "60"))
KILLS = 5
SEED = int(os.environ.get("FAULT_SEED", random.randrange(2**31)))
OLD, NEW = (b"o" * 32, uuid4()), (b"n" * 32, uuid4())


def opens(folder: Path, point: UUID) -> set[UUID]:
    """Which keysets really open a point, by their private halves."""
    found = set()
    for line in protecting.read(folder, point):
        verify_line(line, rotate.SIGNING.public_key())
        seed = {OLD[1]: OLD[0], NEW[1]: NEW[0]}[line.keyset]
        if len(keysets.opener(keysets.X_WING, seed)(line.wrapped, line.bound_to)) == 32:
            found.add(line.keyset)
    return found


def test_p11_a_rotation_that_is_killed_leaves_every_point_recoverable_and_resumes(job, small, run):  # noqa: F811
    """P11, for keysets: at every instant each point answers to the old or the new one, at last to the new."""
    sys.stdout.write(f"seed {SEED}\n")
    by = rotate.protection(*OLD)
    points = [run(job, small, protection=by) for _ in range(POINTS)]
    marks = sorted(random.Random(SEED).sample(range(1, POINTS), KILLS))
    killed = 0
    for mark in marks:
        words = [sys.executable, "-m", "tests.recovery.rotate", str(job), NEW[0].hex(), str(NEW[1])]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if int(line) >= mark:
                    process.send_signal(signal.SIGKILL)
                    break
            assert process.wait() == -signal.SIGKILL
        killed += 1
        assert all(opens(job, point) in ({OLD[1]}, {NEW[1]}) for point in points)
    assert killed == KILLS
    rotate.main(job, *NEW)
    assert all(opens(job, point) == {NEW[1]} for point in points)
    assert not list(job.glob("*.part"))


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
