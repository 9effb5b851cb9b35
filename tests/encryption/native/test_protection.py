"""Storage keys wrapped a second time for keysets: written with a point, added later, rotated, and used."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from encryption.crypto import keysets
from encryption.engines.native import protection as protecting
from encryption.engines.native.opening import GivenKeys
from encryption.engines.native.protection import Guard, Protection
from encryption.engines.native.recovery import verify_line
from encryption.engines.native.restore import restore, verify
from encryption.engines.native.retention import drop
from encryption.errors import BadRecoveryLine, MissingKeyLine
from tests.encryption.native.conftest import roots
from tests.encryption.native.tree import describe

PAIRS = {suite: keysets.generate(suite) for suite in (keysets.RSA, keysets.X_WING)}
SERVER, SIGNING = uuid4(), Ed25519PrivateKey.generate()


def protection(*suites: str) -> tuple[Protection, dict[UUID, keysets.Pair]]:
    """Loss protection with a fresh keyset a suite."""
    pairs = {uuid4(): PAIRS[suite] for suite in suites}
    guards = tuple(Guard(keyset, pair.suite, pair.public) for keyset, pair in pairs.items())
    return Protection(SERVER, SIGNING, guards), pairs


def recovered(folder: Path, point: UUID, pairs: dict[UUID, keysets.Pair]) -> GivenKeys:
    """What the Enterprise side would give for a point: by its private half alone."""
    line = next(line for line in protecting.read(folder, point) if line.keyset in pairs)
    verify_line(line, SIGNING.public_key())
    pair = pairs[line.keyset]
    return GivenKeys(
        {line.storage_key: keysets.opener(pair.suite, pair.private)(line.wrapped, line.bound_to)}
    )


@pytest.mark.parametrize("suite", PAIRS)
def test_a_point_opens_without_its_password(job, small, run, tmp_path, suite):
    by, pairs = protection(suite)
    point = run(job, small, protection=by)
    restore(job, point, tmp_path / "to", roots=recovered(job, point, pairs))
    assert describe(small.path) == describe(tmp_path / "to")


def test_a_chain_needs_the_keys_of_all_its_points(job, small, run):
    by, pairs = protection(keysets.X_WING)
    full = run(job, small, protection=by)
    (small.path / "two").write_bytes(b"changed")
    increment = run(job, small, base=full, protection=by)
    with pytest.raises(MissingKeyLine, match="ask for it too"):
        verify(job, increment, roots=recovered(job, increment, pairs))


def test_two_keysets_make_two_lines(job, small, run):
    by, pairs = protection(*PAIRS)
    point = run(job, small, protection=by)
    assert {line.keyset for line in protecting.read(job, point)} == set(pairs)


def test_a_plain_point_has_no_lines(plain, small, run):
    by, _ = protection(keysets.X_WING)
    point = run(plain, small, roots=None, protection=by)
    assert protecting.read(plain, point) == []


def test_existing_points_are_covered_without_reading_their_data(job, small, run):
    point = run(job, small)
    by, pairs = protection(keysets.X_WING)
    data = job / f"{point}.vsb"
    before = data.stat()
    assert protecting.cover(job, [point], keys=roots, by=by) == 1
    assert data.stat().st_mtime_ns == before.st_mtime_ns
    assert protecting.covered(job, next(iter(pairs))) == {point}
    verify(job, point, roots=recovered(job, point, pairs))


def test_covering_again_writes_nothing(job, small, run):
    point = run(job, small)
    by, _ = protection(keysets.X_WING)
    protecting.cover(job, [point], keys=roots, by=by)
    assert protecting.cover(job, [point], keys=roots, by=by) == 0


def test_a_rotation_replaces_the_lines_of_the_former_keyset(job, small, run):
    old, old_pairs = protection(keysets.RSA)
    point = run(job, small, protection=old)
    new, new_pairs = protection(keysets.X_WING)
    assert protecting.cover(job, [point], keys=roots, by=new) == 1
    assert protecting.covered(job, next(iter(old_pairs))) == set()
    verify(job, point, roots=recovered(job, point, new_pairs))


def test_a_line_of_another_job_is_refused(job, small, run, tmp_path):
    by, _ = protection(keysets.X_WING)
    first, second = (run(job, small, protection=by) for _ in range(2))
    (job / f"{first}.recovery").write_bytes((job / f"{second}.recovery").read_bytes())
    with pytest.raises(BadRecoveryLine):
        protecting.read(job, first)


def test_a_line_that_another_server_signed_is_refused(job, small, run):
    by, _ = protection(keysets.X_WING)
    point = run(job, small, protection=replace(by, signing_key=Ed25519PrivateKey.generate()))
    with pytest.raises(BadRecoveryLine):
        verify_line(protecting.read(job, point)[0], SIGNING.public_key())


def test_an_endless_file_is_refused(job, small, run):
    by, _ = protection(keysets.X_WING)
    point = run(job, small, protection=by)
    (job / f"{point}.recovery").write_bytes(b"x" * (protecting.LONGEST_FILE + 1))
    with pytest.raises(BadRecoveryLine):
        protecting.read(job, point)


def test_the_lines_go_with_their_point(job, small, run):
    by, _ = protection(keysets.X_WING)
    point = run(job, small, protection=by)
    drop(job, [point])
    assert not (job / f"{point}.recovery").exists()
