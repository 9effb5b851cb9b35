"""P11: a disk that fills at any byte leaves what was there; the next call goes on when there is room."""

import os
import resource
from uuid import UUID

import pytest

from encryption.engines.native.backup import backup
from encryption.engines.native.rekey import rekey
from encryption.engines.native.restore import verify
from encryption.engines.native.retention import drop
from tests.encryption.native.conftest import KDF, ROOT, roots

NEW = b"n" * 32


def fails_beyond(size, work):
    """Run `work` in a child whose files cannot grow beyond `size`; True if it met that as an OSError."""
    child = os.fork()
    if child == 0:
        code = 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        try:
            work()
        except OSError:
            code = 77
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 77


def change(job):
    return rekey(job, old_root=ROOT, new_root=NEW, new_user_key=UUID(int=200), new_kdf=KDF)


def test_a_rekey_without_room_changes_nothing(job, small, run):
    point = run(job, small)
    before = (job / "keyring").read_bytes()
    for size in range(0, len(before) - 1, 40):
        assert fails_beyond(size, lambda: change(job))
        assert (job / "keyring").read_bytes() == before
        assert not (job / "keyring.part").exists()
    change(job)
    verify(job, point, roots=lambda head: NEW)


def test_a_backup_without_room_leaves_no_file(job, small):
    for size in (0, 1, 500, 700):
        assert fails_beyond(size, lambda: backup(job, small, roots=roots))
        assert not list(job.glob("*.vsb*"))


@pytest.mark.parametrize("room", [1, 50, 150, 199])
def test_a_line_without_room_is_cut_off_by_the_next(job, small, run, room):
    # So many lines that the keyring, not the data file, is what meets the limit.
    points = [run(job, small) for _number in range(12)]
    size = (job / "keyring").stat().st_size
    assert fails_beyond(size + room, lambda: backup(job, small, roots=roots))
    assert len(list(job.glob("*.vsb*"))) == 12
    for point in [*points, run(job, small)]:
        verify(job, point, roots=roots)


def test_a_drop_without_room_is_finished_by_the_next(job, small, run):
    kept, gone = run(job, small), run(job, small)
    assert fails_beyond(300, lambda: drop(job, [gone]))
    verify(job, kept, roots=roots)
    drop(job, [gone])
    assert (job / "keyring").read_bytes().count(b"\n") == 2
    verify(job, kept, roots=roots)
