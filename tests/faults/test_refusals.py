"""What a reader refuses of a small restore point: every flipped bit, bombs, deep ways, odd names."""

import os
import resource
import struct
import subprocess
from pathlib import Path
from uuid import UUID

import pytest
import zstandard

from encryption.engines.base import Source
from encryption.engines.native import metadata
from encryption.engines.native.backup import backup
from encryption.engines.native.restore import restore, verify
from encryption.errors import DamagedFile, DamagedKeyring, DamagedMetadata, EngineError
from tests.encryption.native.conftest import KDF, ROOT, bring, job, plain, refuses, roots, run, small
from tests.encryption.native.forge import BLOCK_SIZE, Forge, dir_entry, file_entry, link_entry
from tests.encryption.native.tree import describe

assert bring, (job, plain, refuses, run, small)

# Spaces, what shells and logs trip over, and one sign in its two forms.
ODD = ["a b", "-rf", "~", "$HOME", "`id`", "a\nb", "a\rb", "a\tb", "\x7f", "'", '"', "\\", "*", "?", "…"]
ODD += ["\u00e9", "e\u0301"]


@pytest.fixture
def tiny(job, tmp_path, run):
    """The smallest restore point that has a block, and beside it a second one."""
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "f").write_bytes(b"content")
    source = Source(tmp_path / "tiny")
    return run(job, source), run(job, source)


def flipped(path: Path, bit: int) -> bytes:
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    return bytes(content)


def in_place(path: Path, content: bytes) -> None:
    """Write over a file without a new inode, as a failing disk does."""
    with path.open("r+b") as file:
        file.write(content)


def test_every_flipped_bit_of_a_data_file_is_refused(job, tiny):
    """P11: nothing that was altered is taken for what was written, whichever bit it is."""
    path = job / f"{tiny[0]}.vsb"
    content = path.read_bytes()
    for bit in range(8 * len(content)):
        in_place(path, flipped(path, bit))
        with pytest.raises(EngineError):
            verify(job, tiny[0], roots=roots)
        in_place(path, content)
    verify(job, tiny[0], roots=roots)


def root_of(head):
    """The root that the password gives under the derivation that the head names."""
    return ROOT if head.kdf == KDF else bytes(32)


def test_every_flipped_bit_of_a_keyring_is_refused(job, tiny):
    """P11: of the head for all points; of a line for its own alone, where the format says so."""
    path = job / "keyring"
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    ends = [sum(map(len, lines[: number + 1])) for number in range(len(lines))]
    for bit in range(8 * len(content)):
        in_place(path, flipped(path, bit))
        refused = [point for point in tiny if not opens(job, point)]
        at = bit // 8
        if at < ends[0]:
            assert refused == list(tiny), f"bit {bit} of the head"
        elif at not in (ends[0] - 1, ends[1] - 1):
            own = tiny[0] if at < ends[1] else tiny[1]
            # The last line without its LF is a crashed append; one whose LF is gone joins the next.
            assert own in refused, f"bit {bit}"
            assert len(refused) == 1 or content[at] ^ (1 << bit % 8) == ord("\n"), f"bit {bit}"
        else:
            assert refused, f"bit {bit}"
        in_place(path, content)
    assert all(opens(job, point) for point in tiny)


def opens(job, point: UUID) -> bool:
    try:
        verify(job, point, roots=root_of)
    except EngineError:
        return False
    return True


def bounded(work, megabytes: int) -> int:
    """Do `work` in a process that may take so much more memory; its exit code."""
    child = os.fork()
    if child == 0:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + megabytes * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        code = 1
        try:
            work()
        except EngineError:
            code = 77
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def bomb(size: int, declared: int | None = None) -> bytes:
    """A frame of so many zeros; with `declared` its head says another size."""
    compressor = zstandard.ZstdCompressor(write_checksum=True).compressobj(size=size)
    made = b"".join(compressor.compress(bytes(1024 * 1024)) for _ in range(size // (1024 * 1024)))
    frame = made + compressor.flush()
    if declared is None:
        return frame
    real = zstandard.get_frame_parameters(frame)
    head = struct.pack("<I", size)
    assert real.content_size == size
    assert head in frame[:14]
    return frame.replace(head, struct.pack("<I", declared), 1)


@pytest.mark.parametrize("declared", [None, 1000], ids=["an honest head", "a head that lies"])
def test_a_bomb_in_the_metadata_is_refused_in_bounded_memory(plain, tmp_path, declared):
    """A gigabyte of zeros in some kilobytes: refused, and never held as a whole."""
    forged = Forge(plain)
    forged.metadata = bomb(1024**3, declared)
    assert len(forged.metadata) < 200_000
    point = forged.write()
    assert bounded(lambda: restore(plain, point, tmp_path / "to", roots=None), 256) == 77
    assert not (tmp_path / "to").exists()


def test_a_metadata_size_beyond_the_bound_is_refused(plain, refuses, monkeypatch):
    """The bound is read before anything is unpacked."""
    forged = Forge(plain)
    names = [name for name in vars(metadata) if "LARGEST" in name or "MOST" in name]
    assert any(getattr(metadata, name) == 16 * 1024**3 for name in names)
    frame = bytearray(zstandard.ZstdCompressor().compress(b"x" * 70_000))
    # A single-segment frame with a size of eight bytes, which is 2 to the 60th.
    forged.metadata = frame[:4] + b"\xe0" + struct.pack("<Q", 2**60) + frame[9:]
    refuses(DamagedMetadata, forged)


@pytest.mark.parametrize("unpacked", [BLOCK_SIZE + 1, 512 * 1024 * 1024])
def test_a_bomb_in_a_block_is_refused_in_bounded_memory(plain, tmp_path, unpacked):
    """A block says how much it unpacks to, and more than a block is never unpacked."""
    forged, content = Forge(plain), b"a" * 1000
    frame = zstandard.ZstdCompressor().compress(bytes(unpacked))
    forged.lines = [line_of(file_entry("f", content, [forged.block(b"\x01" + frame)]))]
    point = forged.write()
    assert bounded(lambda: verify(plain, point, roots=None), 192) == 77


def line_of(entry: dict) -> bytes:
    from encryption.crypto.encoding import canonical

    return canonical(entry)


@pytest.mark.parametrize("depth", [100, 2000])
def test_a_deep_way_is_restored_or_refused_whole(plain, tmp_path, depth):
    """Beyond what a path may be long, folders are still made one in the other, and nothing beside them."""
    forged = Forge(plain)
    forged.lines = [line_of(dir_entry("/".join(["d"] * (number + 1)))) for number in range(depth)]
    point = forged.write()
    try:
        restore(plain, point, tmp_path / "to", roots=None)
    except EngineError:
        assert not (tmp_path / "to").exists()
    else:
        count = sum(1 for _ in walk(tmp_path / "to"))
        assert count == depth
        # Deeper than what tidies up after tests can go.
        subprocess.run(["rm", "-rf", tmp_path / "to"], check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["repository"]


def walk(top: Path):
    here = os.open(top, os.O_RDONLY)
    while names := os.listdir(here):  # noqa: PTH208 - deeper than any path
        below = os.open(names[0], os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
        yield names[0]
    os.close(here)


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "../../../../../../tmp", "/", "."])
def test_links_that_point_outside_bend_no_way(plain, tmp_path, target):
    """A link is restored as it was, last of all; a file that claims to lie beyond it is refused."""
    outside = tmp_path / "outside"
    outside.mkdir()
    forged = Forge(plain)
    forged.lines = [line_of(link_entry("a", target))]
    restore(plain, forged.write(), tmp_path / "to", roots=None)
    assert (tmp_path / "to" / "a").readlink() == Path(target)
    through = Forge(plain, UUID(int=7))
    through.lines = [line_of(link_entry("a", target)), line_of(file_entry("a/x", b"", []))]
    with pytest.raises(DamagedFile):
        restore(plain, through.write(), tmp_path / "to2", roots=None)
    assert not (tmp_path / "to2").exists()
    assert list(outside.iterdir()) == []


@pytest.mark.slow
def test_a_hundred_thousand_files_with_odd_names_come_back(job, tmp_path):
    """Names that shells, logs and other systems trip over, and such as are no text."""
    source = tmp_path / "odd"
    source.mkdir()
    for number in range(100_000):
        odd = ODD[number % len(ODD)].encode() + (b"\xff" if number % 3 == 0 else b"")
        folder = os.fsencode(source) + b"/%d" % (number // 1000)
        if number % 1000 == 0:
            Path(os.fsdecode(folder)).mkdir()
        fd = os.open(folder + b"/%d" % number + odd, os.O_CREAT | os.O_WRONLY, 0o600)
        os.close(fd)
    result = backup(job, Source(source), roots=roots)
    assert (result.entries, result.warnings) == (100_100, ())
    restore(job, result.restore_point, tmp_path / "to", roots=roots)
    found, wanted = describe(tmp_path / "to"), describe(source)
    assert len(found) == 100_100
    assert found == wanted


def test_a_keyring_of_one_endless_line_is_refused(job, tiny):
    """Lines are bounded before they are read."""
    head = (job / "keyring").read_bytes().partition(b"\n")[0]
    with (job / "keyring").open("wb") as file:
        file.write(head)
        # A hole: it costs the disk nothing, and whoever reads it whole a gigabyte.
        file.truncate(1024**3)

    def look():
        with pytest.raises(DamagedKeyring) as caught:
            verify(job, tiny[0], roots=roots)
        raise caught.value

    assert bounded(look, 128) == 77
