"""A part holds what was written to it, in whatever portions, and nothing that failed half-way."""

import errno
import os
from uuid import uuid4

import pytest

from encryption.engines.native.folder import open_folder
from encryption.engines.native.part import Part


@pytest.fixture
def folder(tmp_path):
    with open_folder(tmp_path / str(uuid4()), create=True) as folder:
        yield folder


@pytest.mark.parametrize(
    "portions", [[0, 1, 5, 3], [300_000], [100, 300_000, 100], [200_000] * 4, [262_144] * 3]
)
def test_portions_stand_one_after_the_other(folder, portions):
    content = [os.urandom(size) for size in portions]
    with Part(folder, "keyring") as part:
        for data in content:
            part.write(data)
        assert part.size == sum(portions)
        part.sync()
        part.rename()
    assert (folder.path / "keyring").read_bytes() == b"".join(content)


def test_a_call_that_takes_less_is_repeated(folder, monkeypatch):
    content, real = os.urandom(900_000), os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[: max(1, len(data) // 3)]))
    with Part(folder, "keyring") as part:
        part.write(content)
        part.sync()
        part.rename()
    assert (folder.path / "keyring").read_bytes() == content


def test_what_waits_is_there_when_it_is_read_back(folder):
    with Part(folder, "keyring") as part:
        part.write(b"little")
        with part.reopened() as file:
            assert file.read() == b"little"


def test_a_full_disk_is_told_by_the_sync_at_the_latest(folder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    with Part(folder, "keyring") as part:
        part.write(b"little")
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OSError, match="full"):
            part.sync()
    assert folder.names() == []


def test_a_system_without_advice_writes_the_same(folder, monkeypatch):
    monkeypatch.setattr("encryption.engines.native.part._ADVISE", None)
    content = os.urandom(9_000_000)
    with Part(folder, "keyring") as part:
        part.write(content)
        part.sync()
        part.rename()
    assert (folder.path / "keyring").read_bytes() == content
