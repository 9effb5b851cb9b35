"""Who owns files in a source cannot make the backup of everybody else's unreadable."""

import os

import pytest

from encryption.crypto.encoding import LARGEST_INTEGER
from encryption.engines.base import Source
from encryption.engines.native import reading
from encryption.engines.native.backup import backup
from encryption.engines.native.restore import verify


class _Odd:
    """A file's status with another time: what btrfs, tmpfs and XFS let every owner set."""

    def __init__(self, status, nanoseconds):
        self._status, self.st_mtime_ns = status, nanoseconds

    def __getattr__(self, name):
        return getattr(self._status, name)


@pytest.mark.parametrize("seconds", [2**53, 2**60, -(2**53) - 1])
def test_time_beyond_every_calendar_costs_no_restore_point(plain, small, seconds, monkeypatch):
    real = reading.EntryReader._owned
    monkeypatch.setattr(
        reading.EntryReader,
        "_owned",
        lambda self, kind, path, status: real(self, kind, path, _Odd(status, seconds * 10**9)),
    )
    made = backup(plain, small, roots=None)
    verify(plain, made.restore_point, roots=None)
    assert sum("no calendar" in warning for warning in made.warnings) == 3


def test_largest_time_is_kept_as_it_is(plain, small, monkeypatch):
    real = reading.EntryReader._owned
    monkeypatch.setattr(
        reading.EntryReader,
        "_owned",
        lambda self, kind, path, status: real(self, kind, path, _Odd(status, LARGEST_INTEGER * 10**9)),
    )
    made = backup(plain, small, roots=None)
    verify(plain, made.restore_point, roots=None)
    assert made.warnings == ()


def test_name_listed_twice_stands_once(plain, small, monkeypatch):
    """A file that is removed and made again while its folder is listed may be told of twice."""
    real = os.listdir
    monkeypatch.setattr(os, "listdir", lambda at: [*real(at), *real(at)])
    made = backup(plain, Source(small.path), roots=None)
    verify(plain, made.restore_point, roots=None)
    assert made.entries == 3


def test_file_of_exabytes_of_nothing_keeps_no_run_busy(plain, small, monkeypatch):
    """On XFS and btrfs `truncate -s 7E` costs its owner nothing."""
    monkeypatch.setattr(reading, "LARGEST_FILE", 2**20)
    with (small.path / "two").open("r+b") as file:
        file.truncate(2**20 + 1)
    made = backup(plain, small, roots=None)
    verify(plain, made.restore_point, roots=None)
    assert (made.entries, [w for w in made.warnings if "larger" in w]) == (2, list(made.warnings))
    assert len(made.warnings) == 1
