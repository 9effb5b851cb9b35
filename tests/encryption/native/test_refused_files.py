"""What a reader refuses, by name and before it writes: file and header, each in a file crafted for it."""

import struct
from uuid import uuid4

import pytest

from encryption.engines.native.restore import restore, verify
from encryption.errors import (
    DamagedFile,
    NoRestorePoint,
    NotABackup,
    WrongJob,
    WrongName,
)
from tests.encryption.native.forge import (
    BLOCK_SIZE,
    POINT,
    Forge,
    dir_entry,
    file_entry,
    link_entry,
)


def test_an_honest_forgery_is_restored(plain, tmp_path):
    point = Forge(plain).add(dir_entry("a")).add_file("a/b", b"x" * 10).add(link_entry("c", "a/b")).write()
    restore(plain, point, tmp_path / "to", roots=None)
    assert (tmp_path / "to" / "c").read_bytes() == b"x" * 10


def test_a_wrong_magic(plain, refuses):
    forge = Forge(plain)
    forge.magic = b"VSB2"
    refuses(NotABackup, forge)


def test_a_wrong_end_mark(plain, refuses):
    forge = Forge(plain)
    forge.mark = b"VSBEND2\0"
    refuses(NotABackup, forge)


@pytest.mark.parametrize("content", [b"", b"VSB1", b"VSB1\0\0\0\x05{}", b"\0" * 100])
def test_something_else(plain, refuses, content):
    plain.mkdir()
    (plain / f"{POINT}.vsb").write_bytes(content)
    with pytest.raises((NotABackup, DamagedFile)):
        verify(plain, POINT, roots=None)


def test_a_cut_file(plain, refuses):
    Forge(plain).add_file("a").write()
    path = plain / f"{POINT}.vsb"
    path.write_bytes(path.read_bytes()[:-1])
    refuses(NotABackup, None)


def test_a_wrong_header_hash(plain, refuses):
    forge = Forge(plain)
    forge.trailer["digest"] = bytes(8)
    refuses(DamagedFile, forge, "header is not the one")


@pytest.mark.parametrize("length", [0, 16 * 1024 * 1024 + 1, 2**32 - 1])
def test_a_header_length_out_of_bounds(plain, refuses, length):
    Forge(plain).write()
    path = plain / f"{POINT}.vsb"
    content = path.read_bytes()
    path.write_bytes(content[:4] + struct.pack(">I", length) + content[8:])
    refuses(DamagedFile, None, "length is out of bounds")


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"kind": "other"},
        {"block_size": 0},
        {"block_size": 8 * 1024 * 1024 + 1},
        {"block_size": 1048576.0},
        {"created": "yesterday"},
        {"created": "2026-11-02T12:00:00+00:00"},
        {"created": "2026-1-2T12:00:00Z"},
        {"job": "x"},
        {"restore_point": POINT.hex},
        {"extra": 1},
        {"keys": {}},
        {"keys": []},
        {"keys": None},
    ],
)
def test_a_damaged_header(plain, refuses, change):
    forge = Forge(plain)
    forge.header |= change
    refuses(DamagedFile, forge, "header is damaged")


def test_a_header_with_a_name_twice(plain, refuses):
    forge = Forge(plain)
    forge.header_json = forge._header()[:-1] + b',"format":1}'
    refuses(DamagedFile, forge, "twice")


def test_another_name(plain, refuses):
    forge = Forge(plain)
    forge.name = uuid4()
    refuses(WrongName, forge, point=forge.name)


def test_another_job(plain, refuses):
    forge = Forge(plain)
    forge.header["job"] = str(uuid4())
    refuses(WrongJob, forge)


def test_a_folder_that_is_no_job(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(WrongJob):
        verify(tmp_path / "folder", POINT, roots=None)


def test_no_such_restore_point(plain, refuses):
    Forge(plain).write()
    refuses(NoRestorePoint, None, point=uuid4())


def test_a_link_in_place_of_a_data_file(plain):
    Forge(plain).write()
    (plain / f"{POINT}.vsb").rename(plain / "elsewhere")
    (plain / f"{POINT}.vsb").symlink_to("elsewhere")
    with pytest.raises(NotABackup, match="is a link"):
        verify(plain, POINT, roots=None)


def test_a_folder_in_place_of_a_data_file(plain, refuses):
    (plain / f"{POINT}.vsb").mkdir(parents=True)
    refuses(NotABackup, None, "no regular file")


@pytest.mark.parametrize(
    "trailer",
    [{"offset": 10}, {"offset": 2**63}, {"length": 0}, {"length": 2**64 - 1}, {"whole": 1}, {"whole": 2**40}],
)
def test_lengths_that_disagree(plain, refuses, trailer):
    forge = Forge(plain).add_file("a")
    forge.trailer |= trailer
    refuses(DamagedFile, forge, "length is not the one")


def test_bytes_after_the_end(plain, refuses):
    forge = Forge(plain).add_file("a")
    forge.after = forge.mark
    refuses(DamagedFile, forge)


def test_metadata_over_the_header(plain, refuses):
    forge = Forge(plain)
    whole = 8 + len(forge._header()) + len(forge.frame()) + 40
    forge.trailer |= {"offset": 8, "length": whole - 48}
    refuses(DamagedFile, forge, "length is not the one")


def block(forge, where, kind):
    offset = forge.block(b"\0content")[2]
    return {
        "before blocks": [0, 0, offset - 1, 8],
        "into metadata": [0, 0, offset, 9],
        "far away": [0, 0, 2**52, 8],
        "too long": [0, 0, offset, BLOCK_SIZE * 2],
        "no session": [1, 0, offset, 8],
    }[where]


@pytest.mark.parametrize("where", ["before blocks", "into metadata", "far away", "too long", "no session"])
def test_a_block_outside_of_the_blocks(plain, refuses, where):
    forge = Forge(plain)
    forge.add(file_entry("a", b"content", [block(forge, where, None)]))
    refuses(DamagedFile, forge, "lies outside")
