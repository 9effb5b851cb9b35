"""What was encrypted is refused when a byte of it was changed, cut, swapped or moved."""

import json
import os
import random
import shutil
from uuid import UUID, uuid4

import pytest

from encryption.crypto.wrap import associated, wrap
from encryption.engines.native import metadata
from encryption.engines.native.backup import backup
from encryption.engines.native.keyring import parse_line
from encryption.engines.native.rekey import activate
from encryption.engines.native.restore import verify
from encryption.errors import (
    DamagedBlock,
    DamagedFile,
    DamagedKeyring,
    DamagedMetadata,
    EngineError,
    MissingKeyLine,
    NoKeyring,
    PlainInEncrypted,
    WrongJob,
    WrongKey,
    WrongPassword,
)
from tests.encryption.native.conftest import KDF, ROOT, USER_KEY, roots
from tests.encryption.native.forge import Forge


@pytest.fixture
def point(job, small, run):
    return run(job, small)


def flip(path, at):
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


def test_any_changed_byte_of_a_data_file_is_refused(job, point):
    path = job / f"{point}.vsb"
    for at in range(path.stat().st_size):
        flip(path, at)
        with pytest.raises(EngineError):
            verify(job, point, roots=roots)
        flip(path, at)
    verify(job, point, roots=roots)


def test_any_length_of_a_data_file_is_refused(job, point):
    path = job / f"{point}.vsb"
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(EngineError):
            verify(job, point, roots=roots)


def test_any_changed_byte_of_a_key_line_is_refused(job, point):
    path = job / "keyring"
    head = path.read_bytes().index(b"\n") + 1
    for at in range(head, path.stat().st_size):
        flip(path, at)
        with pytest.raises(EngineError):
            verify(job, point, roots=roots)
        flip(path, at)


def test_any_changed_byte_of_the_head_is_refused_or_names_another_derivation(job, point):
    path = job / "keyring"
    for at in range(path.read_bytes().index(b"\n") + 1):
        flip(path, at)
        try:
            verify(job, point, roots=lambda head: ROOT if head.kdf == KDF else bytes(32))
        except (DamagedKeyring, WrongPassword, WrongJob, EngineError):
            pass
        else:
            pytest.fail(f"byte {at} may be anything")
        flip(path, at)


@pytest.mark.parametrize("at", [0, 1, 500, -1])
def test_a_changed_block_is_damage_of_a_block(job, small, run, at):
    (small.path / "two").write_bytes(random.Random(1).randbytes(1000))
    path = job / f"{run(job, small)}.vsb"
    header = int.from_bytes(path.read_bytes()[4:8], "big")
    # The first block is the folder's file, the last of them ends where metadata begins.
    offset = int.from_bytes(path.read_bytes()[-40:-32], "big")
    flip(path, 8 + header + at if at >= 0 else offset - 1)
    with pytest.raises(DamagedBlock):
        verify(job, UUID(path.stem), roots=roots)


def test_two_swapped_blocks_are_refused(job, small, run):
    for name in ("one", "two"):
        (small.path / name).write_bytes(os.urandom(1000))
    path = job / f"{run(job, small, compress=False)}.vsb"
    content = path.read_bytes()
    end = int.from_bytes(content[-40:-32], "big")
    length = 1000 + 1 + 16
    first, second = content[end - 2 * length : end - length], content[end - length : end]
    path.write_bytes(content[: end - 2 * length] + second + first + content[end:])
    with pytest.raises(DamagedBlock):
        verify(job, UUID(path.stem), roots=roots)


@pytest.mark.parametrize("how", ["swapped", "last dropped", "first dropped", "last repeated"])
def test_reordered_or_dropped_chunks_of_metadata_are_refused(job, small, run, monkeypatch, how):
    monkeypatch.setattr(metadata, "CHUNK_BYTES", 100)
    monkeypatch.setattr(metadata, "_SEALED_CHUNK", 116)
    for _number in range(10):
        (small.path / os.urandom(30).hex()).touch()
    path = job / f"{run(job, small)}.vsb"
    verify(job, UUID(path.stem), roots=roots)
    content = path.read_bytes()
    offset = int.from_bytes(content[-40:-32], "big")
    chunks = [content[at : at + 116] for at in range(offset, len(content) - 40, 116)]
    chunks[-1] = content[offset + 116 * (len(chunks) - 1) : -40]
    assert len(chunks) > 3
    sealed = b"".join(
        {
            "swapped": [chunks[1], chunks[0], *chunks[2:]],
            "last dropped": chunks[:-1],
            "first dropped": chunks[1:],
            "last repeated": [*chunks, chunks[-1]],
        }[how]
    )
    places = (offset, len(sealed), offset + len(sealed) + 40)
    trailer = b"".join(place.to_bytes(8, "big") for place in places)
    path.write_bytes(content[:offset] + sealed + trailer + content[-16:])
    with pytest.raises(DamagedMetadata):
        verify(job, UUID(path.stem), roots=roots)


def test_metadata_of_another_file_is_refused(job, small, run):
    one, two = (job / f"{run(job, small)}.vsb" for _number in range(2))
    first, second = one.read_bytes(), two.read_bytes()
    at = int.from_bytes(first[-40:-32], "big")
    assert at == int.from_bytes(second[-40:-32], "big")
    one.write_bytes(first[:at] + second[at:-40] + first[-40:])
    with pytest.raises(DamagedMetadata):
        verify(job, UUID(one.stem), roots=roots)


def test_a_header_with_another_storage_key_is_refused(job, point):
    path = job / f"{point}.vsb"
    content = path.read_bytes()
    length = int.from_bytes(content[4:8], "big")
    header = json.loads(content[8 : 8 + length])
    header["keys"]["storage_key"] = str(uuid4())
    changed = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    path.write_bytes(content[:8] + changed + content[8 + length :])
    with pytest.raises(DamagedFile, match="header is not the one"):
        verify(job, point, roots=roots)


def test_a_missing_line_costs_its_own_point_alone(job, small, run):
    first, second = run(job, small), run(job, small)
    path = job / "keyring"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2])
    with pytest.raises(MissingKeyLine):
        verify(job, first, roots=roots)
    verify(job, second, roots=roots)


def test_a_line_of_another_point_does_not_open(job, small, run):
    first, second = run(job, small), run(job, small)
    path = job / "keyring"
    lines = path.read_bytes().splitlines()
    one, two = parse_line(lines[1]), parse_line(lines[2])
    swapped = [one._replace(wrapped=two.wrapped), two._replace(wrapped=one.wrapped)]
    path.write_bytes(lines[0] + b"\n" + b"".join(line.raw() for line in swapped))
    for restore_point in (first, second):
        with pytest.raises(WrongKey):
            verify(job, restore_point, roots=roots)


def test_a_bad_line_beside_a_good_one_costs_nothing(job, point):
    path = job / "keyring"
    head, line = path.read_bytes().splitlines(keepends=True)
    bad = parse_line(line[:-1])._replace(wrapped=bytes(60)).raw()
    path.write_bytes(head + bad + line)
    verify(job, point, roots=roots)


def test_a_keyring_of_another_job_is_refused(job, point):
    other = job.parent / str(uuid4())
    activate(other, root=ROOT, user_key=USER_KEY, parameters=KDF)
    shutil.copy(other / "keyring", job / "keyring")
    with pytest.raises(WrongJob):
        verify(job, point, roots=roots)


def test_a_file_of_another_job_is_refused(job, point, small):
    other = job.parent / str(uuid4())
    other.mkdir()
    shutil.copy(job / "keyring", other / "keyring")
    shutil.copy(job / f"{point}.vsb", other)
    with pytest.raises(WrongJob):
        verify(other, point, roots=roots)


def test_a_lost_keyring_is_named(job, point):
    (job / "keyring").unlink()
    with pytest.raises(NoKeyring):
        verify(job, point, roots=roots)


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b"x" * 5000, b"x" * 5000 + b"\n", b'{"format":1}'])
def test_a_damaged_head_is_refused(job, point, content):
    (job / "keyring").write_bytes(content)
    with pytest.raises(DamagedKeyring):
        verify(job, point, roots=roots)


def test_a_plain_file_under_an_encrypted_name_is_refused(job, point, small):
    """P2: whoever writes to the repository cannot slip a plain file under a password."""
    replace_by_plain(job, point, small)
    with pytest.raises(PlainInEncrypted):
        verify(job, point, roots=roots)


def test_a_plain_file_in_an_encrypted_chain_is_refused(job, point, small, run):
    second = run(job, small, base=point)
    replace_by_plain(job, point, small)
    with pytest.raises(PlainInEncrypted):
        verify(job, second, roots=roots)


def test_an_encrypted_file_in_a_plain_chain_is_refused(job, point):
    forged = Forge(job, uuid4(), base=point).write()
    with pytest.raises(PlainInEncrypted):
        verify(job, forged, roots=None)


def replace_by_plain(job, point, small):
    (job / f"{point}.vsb").unlink()
    backup(job, small, roots=None, restore_point=point)


def test_purposes_do_not_stand_for_each_other():
    ids = [uuid4() for _number in range(4)]
    assert associated("storage", *ids) != associated("recovery", *ids)
    assert wrap(bytes(32), bytes(32), b"a") != wrap(bytes(32), bytes(32), b"a")
