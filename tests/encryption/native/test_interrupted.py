"""P11: a process may end at any sync, rename or removal; the next call goes on from there."""

import fcntl
import os
from uuid import UUID

import pytest

from encryption.engines.native.backup import backup
from encryption.engines.native.folder import open_folder
from encryption.engines.native.part import Part, clean_up
from encryption.engines.native.rekey import activate, rekey
from encryption.engines.native.restore import verify
from encryption.engines.native.retention import drop
from encryption.errors import FolderBusy, NoKeyring, WrongPassword
from tests.encryption.native.conftest import KDF, ROOT, USER_KEY, roots
from tests.encryption.native.tree import describe

NEW = b"n" * 32
CALLS = ["fsync", "rename", "unlink", "open"]


def ends_at(call, count, work):
    """Run `work` in a child that ends without clean-up at its `count`th `call`; True if it got so far."""
    child = os.fork()
    if child == 0:
        real, seen = getattr(os, call), [0]

        def end(*args, **options):
            seen[0] += 1
            if seen[0] == count:
                os._exit(77)
            return real(*args, **options)

        setattr(os, call, end)
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 77


def change(job):
    return rekey(job, old_root=ROOT, new_root=NEW, new_user_key=UUID(int=200), new_kdf=KDF)


def opening(job, point):
    """Return which of the two roots open a restore point."""
    opened = []
    for root in (ROOT, NEW):
        try:
            verify(job, point, roots=lambda head, root=root: root)
        except WrongPassword:
            continue
        opened.append(root)
    return opened


@pytest.mark.parametrize("call", CALLS)
def test_a_rekey_that_ends_anywhere_is_resumed(job, small, run, call):
    points = [run(job, small) for _number in range(3)]
    before, count = (job / "keyring").read_bytes(), 1
    while ends_at(call, count, lambda: change(job)):
        for point in points:
            assert len(opening(job, point)) == 1
        change(job)
        assert [opening(job, point) for point in points] == [[NEW]] * 3
        assert not (job / "keyring.part").exists()
        (job / "keyring").write_bytes(before)
        count += 1
    assert count > 1 or call == "unlink"


@pytest.mark.parametrize("call", CALLS)
def test_a_backup_that_ends_anywhere_harms_nothing(job, small, run, bring, call):
    point, count = run(job, small), 1
    while ends_at(call, count, lambda: backup(job, small, roots=roots)):
        verify(job, point, roots=roots)
        assert describe(bring(job, run(job, small, base=point))) == describe(small.path)
        assert not list(job.glob("*.part"))
        count += 1
    for path in job.glob("*.vsb"):
        verify(job, UUID(path.stem), roots=roots)


@pytest.mark.parametrize("call", CALLS)
def test_a_drop_that_ends_anywhere_is_finished_by_the_next(job, small, run, call):
    count = 1
    while True:
        kept, gone = run(job, small), run(job, small)
        ended = ends_at(call, count, lambda gone=gone: drop(job, [gone]))
        verify(job, kept, roots=roots)
        drop(job, [gone])
        assert str(gone).encode() not in (job / "keyring").read_bytes()
        if not ended:
            break
        count += 1


@pytest.mark.parametrize("call", CALLS)
def test_an_activation_that_ends_anywhere_is_finished_by_the_next(plain, call):
    def begin():
        activate(plain, root=ROOT, user_key=USER_KEY, parameters=KDF)

    count = 1
    while ends_at(call, count, begin):
        begin()
        assert sorted(path.name for path in plain.iterdir()) == ["keyring", "lock"]
        (plain / "keyring").unlink()
        count += 1


def test_a_part_that_is_being_written_is_not_cleaned_up(job):
    with open_folder(job) as folder, folder.locked():
        with Part(folder, "x.vsb") as part:
            part.write(b"half")
            part.sync()
            assert clean_up(folder) == []
            assert (job / "x.vsb.part").exists()


def test_an_abandoned_part_is_cleaned_up(job):
    (job / "x.vsb.part").write_bytes(b"half")
    with open_folder(job) as folder, folder.locked():
        assert clean_up(folder) == ["x.vsb.part"]


def test_a_second_writer_waits_and_is_refused(job):
    with open_folder(job) as folder, folder.locked():
        with open_folder(job) as other, pytest.raises(FolderBusy), other.locked(wait=0.1):
            pass


def test_a_lock_goes_with_its_process(job):
    child = os.fork()
    if child == 0:
        fd = os.open(job / "lock", os.O_RDWR)
        fcntl.flock(fd, fcntl.LOCK_EX)
        os._exit(0)
    os.waitpid(child, 0)
    with open_folder(job) as folder, folder.locked(wait=0):
        pass


def test_a_keyring_that_goes_during_a_run_is_missed_at_its_end(job, small):
    def remove(progress):
        (job / "keyring").unlink(missing_ok=True)

    with pytest.raises(NoKeyring):
        backup(job, small, roots=roots, progress=remove)
    assert not list(job.glob("*.vsb*"))
