"""What a reader refuses, by name and before it writes: names and lists, each in a file crafted for it."""

import base64

import pytest
import zstandard

from encryption.errors import (
    DamagedMetadata,
    UnsafePath,
)
from tests.encryption.native.forge import (
    Forge,
    dir_entry,
    file_entry,
    hardlink_entry,
    link_entry,
)


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
