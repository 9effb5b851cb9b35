"""The native engine through the protocol that all engines share."""

from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from encryption.engines.native.engine import NativeEngine
from encryption.engines.native.keyring import new_head
from encryption.engines.registry import engine_for
from encryption.errors import DamagedKeyring, KeyringNeeded, ProofFailed, UnknownEngine, WrongPassword
from tests.encryption.native.conftest import KDF, ROOT, USER_KEY, roots
from tests.encryption.native.tree import describe

JOB = UUID(int=5)
NEW = b"n" * 32
NEW_KEY = UUID(int=200)


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "repository").mkdir(exist_ok=True)
    return engine_for(SimpleNamespace(engine="native", location=str(tmp_path / "repository")))


@pytest.fixture
def active(engine):
    engine.activate(JOB, root=ROOT, user_key=USER_KEY, parameters=KDF)
    return engine


def change(engine):
    return engine.rekey(JOB, old_root=ROOT, new_root=NEW, new_user_key=NEW_KEY, new_kdf=KDF)


def test_an_unknown_engine_is_refused():
    with pytest.raises(UnknownEngine, match="tape"):
        engine_for(SimpleNamespace(engine="tape", location="/"))


def test_a_job_that_never_ran_has_nothing(engine):
    seen = engine.observe(JOB, roots)
    assert (seen.fingerprint, seen.restore_points, seen.key_lines, seen.damage) == ("", (), (), "")
    assert engine.head(JOB) is None
    assert engine.restore_points(JOB) == ()


def test_a_repository_that_is_away_is_no_empty_job(tmp_path):
    with pytest.raises(FileNotFoundError):
        NativeEngine(tmp_path / "away").observe(JOB)
    with pytest.raises(FileNotFoundError):
        NativeEngine(tmp_path / "away").head(JOB)


def test_fingerprint_is_known_before_the_activation(active):
    assert active.observe(JOB).fingerprint == (
        new_head(JOB, root=ROOT, user_key=USER_KEY, parameters=KDF).fingerprint
    )


def test_observation_lists_files_and_lines(active, small):
    encrypted = active.backup(JOB, small, roots=roots).restore_point
    plain = active.backup(JOB, small, roots=None).restore_point
    seen = active.observe(JOB, roots)
    assert set(seen.restore_points) == {encrypted, plain}
    assert seen.key_lines == (encrypted,)
    assert not seen.damage


def test_observation_finds_a_line_that_does_not_open(active, small, tmp_path):
    active.backup(JOB, small, roots=roots)
    path = tmp_path / "repository" / str(JOB) / "keyring"
    path.write_bytes(path.read_bytes().replace(b'"wrapped":"', b'"wrapped":"AAAA')[:-7] + b'=="}\n')
    assert "Line 2" in active.observe(JOB, roots).damage


def test_observation_finds_a_keyring_under_an_unknown_root(active):
    assert "does not open" in active.observe(JOB, lambda head: NEW).damage


def test_a_damaged_head_is_no_observation(active, tmp_path):
    (tmp_path / "repository" / str(JOB) / "keyring").write_bytes(b"damaged\n")
    with pytest.raises(DamagedKeyring):
        active.observe(JOB)


def test_proof_counts_the_lines(active, small):
    active.backup(JOB, small, roots=roots)
    head = change(active)
    proof = active.prove(JOB, root=NEW, old_root=ROOT)
    assert (proof.fingerprint, proof.generation, proof.lines) == (head.fingerprint, 2, 1)


def test_no_proof_without_the_new_password(active):
    with pytest.raises(WrongPassword):
        active.prove(JOB, root=NEW, old_root=ROOT)


def test_no_proof_while_the_old_password_opens(active):
    with pytest.raises(ProofFailed):
        active.prove(JOB, root=ROOT, old_root=ROOT)


def test_consequences_say_what_needs_which_key(active, small):
    encrypted = active.backup(JOB, small, roots=roots).restore_point
    plain = active.backup(JOB, small, roots=None).restore_point
    needs = {item.restore_point: item.needs for item in active.consequences(JOB, "f" * 64)}
    assert needs == {encrypted: "f" * 64, plain: ""}


def test_an_activation_leaves_older_points_plain(engine, small):
    plain = engine.backup(JOB, small, roots=None).restore_point
    assert [item.needs for item in engine.consequences(JOB, "f" * 64)] == [""]
    assert engine.restore_points(JOB) == (plain,)


def test_round_trip_with_verify_and_drop(active, small, tmp_path):
    point = active.backup(JOB, small, roots=roots).restore_point
    assert active.verify(JOB, point, roots=roots).done_files == 2
    active.restore(JOB, point, tmp_path / "to", roots=roots)
    assert describe(tmp_path / "to") == describe(small.path)
    with pytest.raises(KeyringNeeded):
        active.retire_keyring(JOB)
    active.drop(JOB, [point])
    active.retire_keyring(JOB)
    assert active.head(JOB) is None


def test_nothing_to_drop_is_no_error(engine):
    engine.drop(uuid4(), [uuid4()])
    engine.retire_keyring(uuid4())


def test_progress_reaches_the_end(active, small):
    seen = []
    result = active.backup(JOB, small, roots=roots, progress=seen.append)
    assert (seen[-1].done_bytes, seen[-1].done_files) == (result.source_bytes, result.entries)
