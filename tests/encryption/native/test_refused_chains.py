"""What a reader refuses, by name and before it writes: chains and blocks, each in a file crafted for it."""

import base64
import hashlib
from uuid import uuid4

import pytest
import zstandard

from encryption.engines.native.restore import restore, verify
from encryption.errors import (
    BrokenChain,
    DamagedBlock,
    DamagedMetadata,
    WrongJob,
)
from tests.encryption.native.forge import (
    BASE,
    BLOCK_SIZE,
    POINT,
    Forge,
    dir_entry,
    file_entry,
    link_entry,
)


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
