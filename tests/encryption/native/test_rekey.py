"""P11: a re-key is all or nothing, and resumes from what the keyring itself says."""

import os
import time
from uuid import UUID, uuid4

import pytest

from encryption.crypto import kdf
from encryption.crypto.wrap import KeyWrapper
from encryption.engines.native.folder import open_folder
from encryption.engines.native.keylines import (
    KeyringKeys,
    append_key,
    open_keyring,
    storage_place,
    unwrap_all,
)
from encryption.engines.native.keyring import KeyLine, new_head
from encryption.engines.native.rekey import activate, planned_head, rekey
from encryption.errors import DamagedKeyring, KeyringExists, NoKeyring, ProofFailed, WrongPassword

OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32
OLD_KEY, NEW_KEY = UUID(int=100), UUID(int=200)
KDF = kdf.Argon2id(salt=b"s" * 16)
NEW_KDF = kdf.Pbkdf2(salt=b"t" * 64)


@pytest.fixture
def job(tmp_path):
    return tmp_path / str(uuid4())


@pytest.fixture
def active(job):
    activate(job, root=OLD, user_key=OLD_KEY, parameters=KDF)
    return job


def change(path, **other):
    values = {"old_root": OLD, "new_root": NEW, "new_user_key": NEW_KEY, "new_kdf": NEW_KDF}
    return rekey(path, **values | other)


def filled(path, count):
    """A keyring with `count` lines, written at once; returns the storage keys by (restore point, id)."""
    head = new_head(UUID(path.name), root=OLD, user_key=OLD_KEY, parameters=KDF)
    wrapper = KeyWrapper(kdf.user_key(OLD, head.job, OLD_KEY))
    keys = {(UUID(int=n), UUID(int=n + 2**64)): os.urandom(32) for n in range(count)}
    with (path / "keyring").open("wb") as file:
        file.write(head.raw + b"\n")
        for (point, key_id), key in keys.items():
            wrapped = wrapper.wrap(key, storage_place(head, point, key_id))
            file.write(KeyLine(str(point), str(key_id), wrapped).raw())
    return keys


def test_activation_writes_the_head_alone(active):
    assert (active / "keyring").read_bytes().count(b"\n") == 1


def test_a_second_activation_is_the_same(active):
    before = (active / "keyring").read_bytes()
    activate(active, root=OLD, user_key=OLD_KEY, parameters=KDF)
    assert (active / "keyring").read_bytes() == before


def test_activation_over_another_keyring_is_refused(active):
    with pytest.raises(KeyringExists):
        activate(active, root=NEW, user_key=NEW_KEY, parameters=KDF)


def test_a_rekey_writes_the_planned_head(active):
    with open_folder(active) as folder, open_keyring(folder) as (head, _file):
        planned = planned_head(head, root=NEW, user_key=NEW_KEY, parameters=NEW_KDF)
    assert change(active) == planned


def test_generation_grows_by_one(active):
    assert change(active).generation == 2


def test_all_storage_keys_survive(active):
    keys = filled(active, 300)
    change(active)
    with open_folder(active) as folder:
        ring = KeyringKeys(folder, lambda head: NEW)
        assert {ids: ring.storage_key(*ids) for ids in keys} == keys


def test_the_old_password_opens_nothing_afterwards(active):
    keys = filled(active, 3)
    change(active)
    with open_folder(active) as folder, pytest.raises(WrongPassword):
        KeyringKeys(folder, lambda head: OLD).storage_key(*next(iter(keys)))


def test_a_second_call_finds_it_done(active):
    filled(active, 3)
    first = change(active)
    content = (active / "keyring").read_bytes()
    assert change(active) == first
    assert (active / "keyring").read_bytes() == content


def test_resume_after_a_kill_before_the_rename_begins_again(active):
    filled(active, 3)
    (active / "keyring.part").write_bytes(b"half a key")
    assert change(active).user_key == NEW_KEY
    assert not (active / "keyring.part").exists()


def test_resume_under_the_wrong_new_root_is_refused(active):
    change(active)
    with pytest.raises(WrongPassword):
        change(active, new_root=OTHER)


def test_a_wrong_old_root_changes_nothing(active):
    filled(active, 3)
    before = (active / "keyring").read_bytes()
    with pytest.raises(WrongPassword):
        change(active, old_root=OTHER)
    assert (active / "keyring").read_bytes() == before


def test_the_same_root_is_refused(active):
    with pytest.raises(ProofFailed):
        change(active, new_root=OLD)


def test_a_missing_keyring_is_named(job):
    job.mkdir()
    with pytest.raises(NoKeyring):
        change(job)


def damaged(lines):
    yield "not json", [*lines[:2], b"{]\n", *lines[3:]]
    yield "other base64", [*lines[:2], lines[2].replace(b'"wrapped":"', b'"wrapped":"AAAA'), *lines[3:]]
    yield "swapped ids", [lines[0], lines[1], lines[2][:60] + lines[3][60:], *lines[3:]]
    yield "extra field", [*lines[:2], lines[2].replace(b"}", b',"x":1}'), *lines[3:]]
    yield "too long", [*lines[:2], b'{"a":"' + b"a" * 5000 + b'"}\n', *lines[3:]]


@pytest.mark.parametrize("case", range(5))
def test_a_bad_line_refuses_the_rekey_and_changes_nothing(active, case):
    filled(active, 5)
    lines = (active / "keyring").read_bytes().splitlines(keepends=True)
    _name, bad = list(damaged(lines))[case]
    (active / "keyring").write_bytes(b"".join(bad))
    with pytest.raises(DamagedKeyring, match="Line 3"):
        change(active)
    assert (active / "keyring").read_bytes() == b"".join(bad)
    assert not (active / "keyring.part").exists()


@pytest.mark.parametrize("case", range(5))
def test_a_bad_line_costs_no_other_restore_point(active, case):
    keys = filled(active, 5)
    lines = (active / "keyring").read_bytes().splitlines(keepends=True)
    _name, bad = list(damaged(lines))[case]
    (active / "keyring").write_bytes(b"".join(bad))
    good = list(keys)[4]
    with open_folder(active) as folder:
        assert KeyringKeys(folder, lambda head: OLD).storage_key(*good) == keys[good]


@pytest.mark.parametrize(
    "tail", [b'{"restore_point":"0', b"\0" * 100, b"garbage\n", b'{"restore_point":1,\n']
)
def test_a_crashed_append_is_dropped_by_readers(active, tail):
    filled(active, 3)
    with (active / "keyring").open("ab") as file:
        file.write(tail)
    with open_folder(active) as folder, open_keyring(folder) as (head, file):
        assert unwrap_all(head, file, head.open(OLD)) == 3


@pytest.mark.parametrize("count", [0, 3])
@pytest.mark.parametrize(
    "tail", [b"", b'{"restore_point":"0', b"\0" * 100, b"garbage\n", b"\0" * 100_000, b"x" * 9000 + b"\n"]
)
def test_a_crashed_append_is_cut_off_by_the_next(active, tail, count):
    filled(active, count)
    before = (active / "keyring").read_bytes()
    (active / "keyring").write_bytes(before + tail)
    with open_folder(active) as folder, folder.locked():
        append_key(folder, lambda head: OLD, restore_point=uuid4(), storage_key=uuid4(), key=bytes(32))
    after = (active / "keyring").read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == count + 2


@pytest.mark.parametrize("tail", [b"half", b"\0" * 100_000])
def test_a_crashed_append_does_not_survive_a_rekey(active, tail):
    filled(active, 3)
    with (active / "keyring").open("ab") as file:
        file.write(tail)
    change(active)
    assert (active / "keyring").read_bytes().count(b"\n") == 4


def test_progress_ends_at_the_count(active):
    filled(active, 10)
    seen = []
    change(active, progress=seen.append)
    assert seen[-1] == 10


def test_ten_thousand_lines_take_no_time(active):
    filled(active, 10_000)
    begin = time.process_time()
    change(active)
    spent = time.process_time() - begin

    assert spent < 3
