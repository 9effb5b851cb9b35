"""Roots and user keys: bounds before work, known answers, separation by job, key and generation."""

import threading
from uuid import UUID

import pytest

from encryption.crypto import kdf
from encryption.crypto.encoding import to_base64
from encryption.crypto.secret import Secret
from encryption.errors import KdfRefused

JOB = UUID(int=1)
KEY = UUID(int=2)
ROOT = bytes(range(32))
ARGON = {
    "memory_kib": 65536,
    "name": "argon2id",
    "parallelism": 4,
    "salt": to_base64(b"s" * 16),
    "time_cost": 3,
}
PBKDF2 = {"iterations": 600_000, "name": "pbkdf2-hmac-sha256", "salt": to_base64(b"s" * 64)}


@pytest.mark.parametrize("parameters", [ARGON, PBKDF2])
def test_parameters_survive_json(parameters):
    assert kdf.KdfParameters.from_json(parameters).to_json() == parameters


@pytest.mark.parametrize(
    "change",
    [
        {"time_cost": 2},
        {"time_cost": 17},
        {"memory_kib": 65535},
        {"memory_kib": 4194305},
        {"parallelism": 0},
        {"parallelism": 17},
        {"parallelism": True},
        {"time_cost": "3"},
        {"salt": to_base64(b"s" * 15)},
        {"salt": to_base64(b"s" * 65)},
        {"salt": "c3Nzc3Nzc3Nzc3Nzc3Nzcw"},
        {"name": "scrypt"},
        {"name": None},
        {"extra": 1},
        {"iterations": 600_000},
    ],
)
def test_argon2id_out_of_bounds_is_refused(change):
    with pytest.raises(KdfRefused):
        kdf.KdfParameters.from_json(ARGON | change)


@pytest.mark.parametrize("iterations", [599_999, 100_000_001, 2**31, 600_000.0])
def test_pbkdf2_out_of_bounds_is_refused(iterations):
    with pytest.raises(KdfRefused):
        kdf.KdfParameters.from_json(PBKDF2 | {"iterations": iterations})


@pytest.mark.parametrize(
    "value", [None, [], "argon2id", {}, {"name": "argon2id"}, {"name": ["x"], "salt": ""}]
)
def test_other_json_is_refused(value):
    with pytest.raises(KdfRefused):
        kdf.KdfParameters.from_json(value)


def test_default_is_rfc_9106_second_choice():
    made = kdf.new_parameters()
    assert made.to_json() == ARGON | {"salt": to_base64(made.salt)}


def test_fips_takes_pbkdf2():
    assert kdf.new_parameters(fips=True).name == "pbkdf2-hmac-sha256"


def test_each_version_has_a_fresh_salt():
    assert kdf.new_parameters().salt != kdf.new_parameters().salt


def test_root_of_argon2id_is_known():
    root = kdf.derive_root(Secret(b"password"), kdf.KdfParameters.from_json(ARGON))
    assert root.hex() == "21a97cf6284deef49292466e39d7d3b0a6842655b5a801f88b9b84ccefc56864"


def test_root_of_pbkdf2_is_known():
    import hashlib

    root = kdf.derive_root(Secret(b"password"), kdf.KdfParameters.from_json(PBKDF2))
    assert root == hashlib.pbkdf2_hmac("sha256", b"password", b"s" * 64, 600_000)


def test_user_key_is_expand_of_the_root():
    import hashlib
    import hmac

    info = f"veeamsec/1|user-key|{JOB}|{KEY}".encode()
    assert kdf.user_key(ROOT, JOB, KEY) == hmac.new(ROOT, info + b"\x01", hashlib.sha256).digest()


def test_keys_and_commitments_all_differ():
    values = {
        kdf.user_key(ROOT, JOB, KEY),
        kdf.user_key(ROOT, KEY, JOB),
        kdf.user_key(bytes(32), JOB, KEY),
        kdf.commitment(ROOT, JOB, KEY, 1),
        kdf.commitment(ROOT, JOB, KEY, 2),
        kdf.commitment(ROOT, KEY, JOB, 1),
    }
    assert len(values) == 6


def test_two_derivations_at_once_both_end():
    results, parameters = [], kdf.new_parameters()
    threads = [
        threading.Thread(target=lambda: results.append(parameters.derive(b"password")), daemon=True)
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(results) == 2
    assert len(set(results)) == 1
