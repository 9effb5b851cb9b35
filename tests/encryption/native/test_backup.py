"""What a run takes, reports and leaves behind."""

import os
import threading
from uuid import uuid4

import pytest

from encryption.engines.base import Source
from encryption.engines.native.backup import backup
from encryption.errors import (
    SourceRefused,
)
from tests.encryption.native.conftest import roots
from tests.encryption.native.tree import describe


@pytest.mark.parametrize("kind", ["missing", "file", "link"])
def test_a_source_that_is_no_folder_is_refused(plain, tmp_path, kind):
    path = tmp_path / "no folder"
    if kind == "file":
        path.write_bytes(b"")
    elif kind == "link":
        path.symlink_to(tmp_path)
    with pytest.raises(SourceRefused):
        backup(plain, Source(path), roots=None)


def test_other_file_types_are_reported(plain, small):
    os.mkfifo(small.path / "pipe")
    result = backup(plain, small, roots=None)
    assert result.warnings == ("pipe is a named pipe and is not backed up.",)
    assert result.entries == 3


@pytest.mark.parametrize(
    ("size", "kept"),
    [(5 * 1024 * 1024, 3 * 1024 * 1024), (1_500_000, 1_500_000), (10, 1024 * 1024), (0, 1024 * 1024)],
)
def test_a_file_that_changes_meanwhile_is_reported_and_consistent(
    plain, small, bring, monkeypatch, size, kept
):
    (small.path / "two").write_bytes(os.urandom(3 * 1024 * 1024))
    read = os.preadv

    def change_after_reading(fd, buffers, offset):
        count = read(fd, buffers, offset)
        os.truncate(small.path / "two", size)
        return count

    (small.path / "folder" / "one").unlink()
    monkeypatch.setattr(os, "preadv", change_after_reading)
    result = backup(plain, small, roots=None)
    assert result.warnings == ("two changed while it was read; its content may be of two moments.",)
    assert (bring(plain, result.restore_point, roots=None) / "two").stat().st_size == kept


def test_a_file_that_vanishes_meanwhile_is_reported(plain, small, monkeypatch):
    stat = os.stat

    def vanish(name, **options):
        status = stat(name, **options)
        if name == b"two":
            (small.path / "two").unlink()
        return status

    monkeypatch.setattr(os, "stat", vanish)
    result = backup(plain, small, roots=None)
    assert result.warnings == ("two cannot be read: No such file or directory.",)


def test_the_repository_inside_the_source_is_left_out(tmp_path, bring):
    job = tmp_path / "source" / "repository" / str(uuid4())
    job.parent.mkdir(parents=True)
    (tmp_path / "source" / "file").write_bytes(b"x")
    result = backup(job, Source(tmp_path / "source"), roots=None)
    assert result.entries == 2


def test_nothing_but_named_files_is_left(job, small, run):
    point = run(job, small)
    assert sorted(p.name for p in job.iterdir()) == sorted(["keyring", "lock", f"{point}.vsb"])


def test_a_stopped_backup_leaves_no_part(job, small):
    def stop(progress):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        backup(job, small, roots=roots, progress=stop)
    assert not list(job.glob("*.part"))


def test_two_backups_at_once_both_succeed(job, small, bring):
    points = []
    threads = [
        threading.Thread(target=lambda: points.append(backup(job, small, roots=roots).restore_point))
        for _number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [describe(bring(job, point)) for point in points] == [describe(small.path)] * 4
