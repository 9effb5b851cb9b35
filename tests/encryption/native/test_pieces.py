"""Files in pieces: the next one is read beside the one in hand, and what comes out is what stands there."""

import hashlib
import os
import threading
from contextlib import closing

import pytest

from encryption.engines.native.pieces import PieceReader

BLOCK = 4096


@pytest.fixture
def pieces():
    with PieceReader(BLOCK) as reader:
        yield reader


def contents(reader: PieceReader, fd: int) -> list[bytes]:
    with closing(reader.read(fd, os.fstat(fd))) as found:
        return [bytes(piece.flagged[1 : 1 + piece.length]) for piece in found]


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 7 * BLOCK, 7 * BLOCK + 5])
def test_a_file_comes_in_its_pieces(pieces, tmp_path, size):
    content = os.urandom(size)
    (tmp_path / "f").write_bytes(content)
    with (tmp_path / "f").open("rb") as file:
        found = contents(pieces, file.fileno())
    assert found == [content[at : at + BLOCK] for at in range(0, size, BLOCK)]


def test_each_piece_has_its_own_hash(pieces, tmp_path):
    content = os.urandom(5 * BLOCK)
    (tmp_path / "f").write_bytes(content)
    with (
        (tmp_path / "f").open("rb") as file,
        closing(pieces.read(file.fileno(), os.fstat(file.fileno()))) as found,
    ):
        digests = [piece.digest for piece in found]
    assert digests == [hashlib.sha256(content[at : at + BLOCK]).digest() for at in range(0, 5 * BLOCK, BLOCK)]


def test_zeros_and_holes_are_told(pieces, tmp_path):
    with (tmp_path / "f").open("w+b") as file:
        file.write(os.urandom(BLOCK) + bytes(BLOCK))
        file.truncate(64 * BLOCK)
        file.flush()
        with closing(pieces.read(file.fileno(), os.fstat(file.fileno()))) as found:
            zeros = [piece.is_zero for piece in found]
    assert zeros == [False] + [True] * 63


@pytest.mark.parametrize("left", [0, 2 * BLOCK, 2 * BLOCK + 7])
def test_a_file_that_became_shorter_ends_there(pieces, tmp_path, left):
    content = os.urandom(6 * BLOCK)
    (tmp_path / "f").write_bytes(content)
    with (tmp_path / "f").open("r+b") as file:
        status = os.fstat(file.fileno())
        file.truncate(left)
        with closing(pieces.read(file.fileno(), status)) as found:
            kept = b"".join(bytes(piece.flagged[1 : 1 + piece.length]) for piece in found)
    assert kept == content[:left]


def test_nothing_reads_the_file_any_more_once_it_is_given_up(pieces, tmp_path, monkeypatch):
    """A number of a closed file may be another file's."""
    (tmp_path / "f").write_bytes(os.urandom(6 * BLOCK))
    reading, real = threading.Event(), os.preadv

    def slow(*given):
        reading.set()
        try:
            threading.Event().wait(0.05)
            return real(*given)
        finally:
            reading.clear()

    monkeypatch.setattr(os, "preadv", slow)
    with (
        (tmp_path / "f").open("rb") as file,
        closing(pieces.read(file.fileno(), os.fstat(file.fileno()))) as found,
    ):
        next(found)
    assert not reading.is_set()


def test_the_thread_ends_with_the_reader(tmp_path):
    (tmp_path / "f").write_bytes(os.urandom(3 * BLOCK))
    with PieceReader(BLOCK) as reader, (tmp_path / "f").open("rb") as file:
        contents(reader, file.fileno())
    assert not any(thread.name.startswith("pieces") for thread in threading.enumerate())


def test_an_error_of_the_disk_comes_to_the_reader(pieces, tmp_path, monkeypatch):
    (tmp_path / "f").write_bytes(os.urandom(3 * BLOCK))
    monkeypatch.setattr(os, "preadv", lambda *_: (_ for _ in ()).throw(OSError(5, "bad")))
    with (tmp_path / "f").open("rb") as file, pytest.raises(OSError, match="bad"):
        contents(pieces, file.fileno())
