"""What a reader refuses, by name and before it writes, each in a file crafted for it."""

import base64
import hashlib
import struct
from uuid import uuid4

import pytest
import zstandard

from encryption.engines.native.restore import restore, verify
from encryption.errors import (
    BrokenChain,
    DamagedBlock,
    DamagedFile,
    DamagedMetadata,
    NoRestorePoint,
    NotABackup,
    UnsafePath,
    WrongJob,
    WrongName,
)
from tests.encryption.native.forge import (
    BASE,
    BLOCK_SIZE,
    POINT,
    Forge,
    dir_entry,
    file_entry,
    hardlink_entry,
    link_entry,
)


@pytest.fixture
def refuses(plain, tmp_path):
    """Expect that a forged restore point is refused by name, and that nothing was written."""

    def check(error, forge, match=None, point=POINT):
        if forge is not None:
            forge.write()
        with pytest.raises(error, match=match) as caught:
            restore(plain, point, tmp_path / "to", roots=None)
        assert caught.type is error
        assert not (tmp_path / "to").exists()

    return check


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


@pytest.mark.parametrize(
    "path",
    ["", "/", "/etc/passwd", "a/../b", "..", ".", "a//b", "a/", "./a", "a/.", "nul\0nul"],
)
@pytest.mark.parametrize("form", ["path", "path_b64"])
def test_an_unsafe_path(plain, refuses, path, form):
    entry = dir_entry("x")
    del entry["path"]
    entry[form] = path if form == "path" else base64.b64encode(path.encode()).decode()
    refuses(UnsafePath, Forge(plain).add(dir_entry("A"), entry))


@pytest.mark.parametrize(
    "entries",
    [
        [dir_entry("a"), dir_entry("a")],
        [dir_entry("b"), dir_entry("a")],
        [dir_entry("a"), {**dir_entry("x"), "path": "a"}],
    ],
)
def test_a_path_twice_or_out_of_order(plain, refuses, entries):
    refuses(UnsafePath, Forge(plain).add(*entries), "twice or out of order")


@pytest.mark.parametrize(
    "above",
    [None, link_entry("a", "/tmp"), file_entry("a", b"", []), hardlink_entry("a", "A")],
)
def test_an_entry_beneath_something_else_than_a_folder(plain, refuses, above):
    forge = Forge(plain).add(file_entry("A", b"", []))
    if above is not None:
        forge.add(above)
    refuses(UnsafePath, forge.add(file_entry("a/b", b"", [])), "beneath something that is no folder")


@pytest.mark.parametrize("target", ["b", "z", "missing", "folder", "link"])
def test_a_hard_link_to_no_earlier_file(plain, refuses, target):
    forge = Forge(plain).add(
        dir_entry("folder"), link_entry("link", "/etc/shadow"), hardlink_entry("p", target)
    )
    refuses(UnsafePath, forge.add(file_entry("z", b"", [])))


@pytest.mark.parametrize("target", ["/etc/passwd", "../x", "a/../../x"])
def test_a_hard_link_out_of_the_target(plain, refuses, target):
    refuses(UnsafePath, Forge(plain).add(hardlink_entry("z", target)))


@pytest.mark.parametrize("target", ["", "a\0b"])
def test_an_impossible_symlink(plain, refuses, target):
    refuses(UnsafePath, Forge(plain).add(link_entry("a", target)))


def entries_that_lie():
    yield {**dir_entry("a"), "type": "device"}
    yield {**dir_entry("a"), "mode": 0o10000}
    yield {**dir_entry("a"), "mode": -1}
    yield {**dir_entry("a"), "mode": "755"}
    yield {**dir_entry("a"), "mtime": [1, 10**9]}
    yield {**dir_entry("a"), "mtime": [1]}
    yield {**dir_entry("a"), "mtime": 1}
    yield {**dir_entry("a"), "uid": 2**32}
    yield {**dir_entry("a"), "size": 1}
    yield {**dir_entry("a"), "path_b64": "YQ=="}
    yield {**dir_entry("a"), "path": 1}
    yield {**dir_entry("a"), "path": "\ud800"}
    yield {**dir_entry("a"), "xattrs": {"user.x": "?"}}
    yield {**dir_entry("a"), "xattrs": []}
    yield {**hardlink_entry("a", "A"), "mode": 1}
    yield file_entry("a", b"x", [])
    yield file_entry("a", b"x", [0, 0])
    yield file_entry("a", b"x", [1])
    yield file_entry("a", b"x", [False])
    yield file_entry("a", b"x", [[0, 0, 1]])
    yield file_entry("a", b"x", [[0, 0, 1, 0]])
    yield file_entry("a", b"x", [[0, -1, 1, 2]])
    yield file_entry("a", b"x", ["hole"])
    yield file_entry("a", b"x", [0], size=2**53)
    yield file_entry("a", b"x", [0], pieces="")
    yield file_entry("a", b"x", [0], pieces=base64.b64encode(bytes(32)).decode())
    yield b'{"type":"dir","path":"a","path":"b"}'
    yield b"not json"
    yield b""
    yield b"[1]"


@pytest.mark.parametrize("entry", list(entries_that_lie()))
def test_a_damaged_entry(plain, refuses, entry):
    refuses(DamagedMetadata, Forge(plain).add(entry), "entry of the restore point is damaged")


@pytest.mark.parametrize("count", [0, 2, 2**40])
def test_another_count_of_entries(plain, refuses, count):
    forge = Forge(plain).add_file("a")
    forge.count = count
    refuses(DamagedMetadata, forge, "entries and says")


def frames_that_lie(frame):
    compressor = zstandard.ZstdCompressor(write_content_size=False)
    yield frame[:-1]
    yield frame + b"\0"
    yield frame + frame
    yield frame[:-1] + bytes([frame[-1] ^ 1])
    yield compressor.compress(b'{"base":null,"entries":0}\n')
    yield b"no frame"
    yield b""
    yield zstandard.ZstdCompressor().compress(b'{"base":null,"entries":0}')
    yield zstandard.ZstdCompressor().compress(b"")
    yield zstandard.ZstdCompressor().compress(b'{"base":null}\n')
    # Many zeros, as declared and behind a small declared size.
    bomb = bytearray(zstandard.ZstdCompressor().compress(bytes(2**26)))
    yield bytes(bomb)
    at = bomb.index((2**26).to_bytes(4, "little"))
    bomb[at : at + 4] = (1000).to_bytes(4, "little")
    yield bytes(bomb)


@pytest.mark.parametrize("case", range(12))
def test_a_damaged_list(plain, refuses, case):
    forge = Forge(plain).add_file("a")
    forge.metadata = list(frames_that_lie(forge.frame()))[case]
    refuses(DamagedMetadata, forge)


def test_a_full_with_a_base(plain, refuses):
    forge = Forge(plain)
    forge.base = BASE
    refuses(BrokenChain, forge)


def test_a_full_with_a_piece_in_a_base(plain, refuses):
    refuses(BrokenChain, Forge(plain).add(file_entry("a", b"content", [None])))


def test_an_increment_without_base(plain, refuses):
    forge = Forge(plain, base=BASE)
    forge.base = None
    refuses(BrokenChain, forge)


def test_a_missing_base(plain, refuses):
    refuses(BrokenChain, Forge(plain, base=BASE), "missing")


def test_one_restore_point_twice(plain, refuses):
    Forge(plain, BASE, base=POINT).write()
    refuses(BrokenChain, Forge(plain, base=BASE), "twice")


def test_a_restore_point_on_itself(plain, refuses):
    refuses(BrokenChain, Forge(plain, base=POINT), "twice")


def test_another_block_size_along_the_chain(plain, refuses):
    base = Forge(plain, BASE)
    base.header["block_size"] = 4096
    base.write()
    refuses(BrokenChain, Forge(plain, base=BASE), "another block size")


def test_another_job_along_the_chain(plain, refuses):
    base = Forge(plain, BASE)
    base.header["job"] = str(uuid4())
    base.write()
    refuses(WrongJob, Forge(plain, base=BASE))


@pytest.mark.parametrize("entry", [None, dir_entry("a"), file_entry("a", b"", [])])
def test_a_piece_that_the_base_does_not_list(plain, refuses, entry):
    base = Forge(plain, BASE)
    if entry is not None:
        base.add(entry)
    base.write()
    refuses(BrokenChain, Forge(plain, base=BASE).add(file_entry("a", b"content", [None])))


def test_damage_in_the_base_is_found_before_writing(plain, refuses):
    Forge(plain, BASE).add_file("a").add(b"damage").write()
    forge = Forge(plain, base=BASE).add(file_entry("a", b"content", [None]))
    refuses(DamagedMetadata, forge)


def stored_that_lie():
    compress = zstandard.ZstdCompressor().compress
    yield b"\0conten"
    yield b"\0contents"
    yield b"\0CONTENT"
    yield b"\2content"
    yield b"\0"
    yield b"\1content"
    yield b"\1" + compress(b"content") + b"\0"
    yield b"\1" + compress(b"content")[:-1]
    yield b"\1" + compress(b"conten")
    yield b"\1" + compress(b"content") + compress(b"")
    yield b"\1" + zstandard.ZstdCompressor(write_content_size=False).compress(b"content")
    yield b"\1" + compress(bytes(BLOCK_SIZE + 1))
    yield b"\1" + compress(bytes(2**26))


@pytest.mark.parametrize("stored", list(stored_that_lie()))
def test_a_damaged_block_is_named_and_leaves_no_file(plain, tmp_path, stored):
    forge = Forge(plain)
    forge.add(file_entry("a", b"content", [forge.block(stored)])).write()
    with pytest.raises(DamagedBlock, match="a, piece 1"):
        restore(plain, POINT, tmp_path / "to", roots=None)
    assert not list((tmp_path / "to").iterdir())


def test_a_hole_that_was_content(plain, tmp_path):
    Forge(plain).add(file_entry("a", b"content", [0])).write()
    with pytest.raises(DamagedBlock, match="hole"):
        restore(plain, POINT, tmp_path / "to", roots=None)


def test_a_window_beyond_the_bound(plain):
    parameters = zstandard.ZstdCompressionParameters(window_log=24, write_content_size=True)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    stored = b"\1" + compressor.compress(b"content") + compressor.flush()
    forge = Forge(plain)
    forge.add(file_entry("a", b"content", [forge.block(stored)])).write()
    with pytest.raises(DamagedBlock):
        verify(plain, POINT, roots=None)


def test_a_symlink_never_bends_the_way_of_a_file(plain, tmp_path):
    """Even if order and folder checks were fooled, links are made last and files need a real folder."""
    outside = tmp_path / "outside"
    outside.mkdir()
    Forge(plain).add(dir_entry("a")).add_file("a/b").add(link_entry("l", str(outside))).write()
    restore(plain, POINT, tmp_path / "to", roots=None)
    assert not list(outside.iterdir())


def test_hashes_are_of_the_content():
    entry = file_entry("a", b"content", [0])
    assert base64.b64decode(entry["pieces"]) == hashlib.sha256(b"content").digest()[:16]
