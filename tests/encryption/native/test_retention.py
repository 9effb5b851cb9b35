"""What goes goes whole, and nothing that is read or needed goes."""

from uuid import uuid4

import pytest

from encryption.engines.native.datafile import DataFile
from encryption.engines.native.folder import open_folder
from encryption.engines.native.inspection import read_head
from encryption.engines.native.restore import verify
from encryption.engines.native.retention import drop, retire_keyring
from encryption.errors import KeyringNeeded, RestorePointBusy
from tests.encryption.native.conftest import roots


def names(job):
    return {path.name for path in job.iterdir()} - {"lock"}


def test_drop_removes_file_recovery_and_line(job, small, run):
    point = run(job, small)
    (job / f"{point}.recovery").write_bytes(b"{}\n")
    drop(job, [point])
    assert names(job) == {"keyring"}
    assert (job / "keyring").read_bytes().count(b"\n") == 1


def test_drop_leaves_head_and_other_points(job, small, run):
    first, second = run(job, small), run(job, small)
    head = read_head(job)
    drop(job, [first])
    assert read_head(job) == head
    verify(job, second, roots=roots)


def test_drop_again_is_the_same(job, small, run):
    point = run(job, small)
    drop(job, [point])
    drop(job, [point, uuid4()])
    assert names(job) == {"keyring"}


def test_drop_finishes_what_a_kill_left(job, small, run):
    point = run(job, small)
    (job / f"{point}.vsb").unlink()
    drop(job, [point])
    assert (job / "keyring").read_bytes().count(b"\n") == 1


def test_drop_works_without_a_keyring(plain, small, run):
    drop(plain, [run(plain, small, roots=None)])
    assert names(plain) == set()


def test_a_point_that_is_read_stays(job, small, run):
    first, second = run(job, small), run(job, small)
    with open_folder(job) as folder:
        reading = DataFile(folder, second)
        with pytest.raises(RestorePointBusy):
            drop(job, [first, second])
        reading.close()
    verify(job, first, roots=roots)
    drop(job, [first, second])


def test_bad_lines_stay_as_evidence(job, small, run):
    point = run(job, small)
    with (job / "keyring").open("ab") as file:
        file.write(b'{"bad":1}\n')
    drop(job, [point])
    assert (job / "keyring").read_bytes().endswith(b'{"bad":1}\n')


def test_a_keyring_with_lines_is_not_retired(job, small, run):
    run(job, small)
    with pytest.raises(KeyringNeeded):
        retire_keyring(job)


def test_a_keyring_beside_an_encrypted_file_is_not_retired(job, small, run):
    run(job, small)
    head = (job / "keyring").read_bytes().splitlines(keepends=True)[0]
    (job / "keyring").write_bytes(head)
    with pytest.raises(KeyringNeeded):
        retire_keyring(job)


def test_an_empty_keyring_beside_plain_files_is_retired(job, small, run):
    point = run(job, small, roots=None)
    drop(job, [run(job, small)])
    retire_keyring(job)
    assert names(job) == {f"{point}.vsb"}
