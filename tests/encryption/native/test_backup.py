"""What a run takes, reports and leaves behind."""

import errno
import os
import threading
from pathlib import Path
from uuid import uuid4

import pytest

from encryption.engines.base import Source
from encryption.engines.native.backup import backup
from encryption.errors import (
    RestorePointExists,
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


def test_a_restore_point_is_never_written_over(job, small, run):
    point = run(job, small)
    before = (job / f"{point}.vsb").read_bytes()
    with pytest.raises(RestorePointExists):
        run(job, small, restore_point=point)
    assert (job / f"{point}.vsb").read_bytes() == before
    assert (job / "keyring").read_bytes().count(b"\n") == 2


def test_what_cannot_be_listed_or_read_is_reported(plain, small, monkeypatch):
    real_list, real_open = os.listdir, os.open

    def refuse_list(fd):
        if str(Path(f"/proc/self/fd/{fd}").readlink()).endswith("folder"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real_list(fd)

    def refuse_open(name, *args, **options):
        if name == b"two":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real_open(name, *args, **options)

    monkeypatch.setattr(os, "listdir", refuse_list)
    monkeypatch.setattr(os, "open", refuse_open)
    assert backup(plain, small, roots=None).warnings == (
        "folder cannot be listed: Permission denied.",
        "two cannot be read: Permission denied.",
    )


def test_a_path_that_would_break_a_line_is_printed_escaped(plain, small):
    os.mkfifo(os.fsencode(small.path) + b"/a\n\x1b\xff")
    assert backup(plain, small, roots=None).warnings == (
        "a\\n\\x1b\\xff is a named pipe and is not backed up.",
    )


def test_attributes_that_are_not_shown_are_reported(plain, small, monkeypatch):
    def refuse(_fd):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "listxattr", refuse)
    warnings = backup(plain, small, roots=None).warnings
    assert "two does not show its extended attributes: Input/output error." in warnings


def test_attributes_that_the_file_system_does_not_know_are_no_news(plain, small, monkeypatch):
    def refuse(_fd):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "listxattr", refuse)
    assert backup(plain, small, roots=None).warnings == ()


def test_an_attribute_whose_name_is_no_text_is_left_out(plain, small):
    os.setxattr(os.fsencode(small.path / "two"), b"user.\xff", b"x")
    warnings = backup(plain, small, roots=None).warnings
    assert warnings == ("two has an extended attribute whose name is no UTF-8; it is left out.",)
