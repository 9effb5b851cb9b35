"""P9: what the web seals only the worker opens; what rests opens in its own row alone."""

from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from encryption.crypto import seal
from encryption.crypto.seal import MasterKey, intake_info, open_intake, seal_intake
from encryption.errors import SealBroken

INFO = intake_info(UUID(int=7))
MASTER = MasterKey(b"m" * 32)
PLACE = {"table": "password_version", "row": UUID(int=9), "purpose": "password", "version": 1}
X25519 = X25519PrivateKey.generate()
P256 = generate_private_key(SECP256R1())


def test_intake_info_names_the_owner():
    assert INFO == b"veeamsec/1|intake|00000000-0000-0000-0000-000000000007"


@pytest.mark.parametrize("key", [X25519, P256])
def test_intake_opens(key):
    assert open_intake(key, seal_intake(key.public_key(), b"secret", INFO), INFO) == b"secret"


@pytest.mark.parametrize(("key", "form"), [(X25519, 1), (P256, 2)])
def test_intake_begins_with_its_form(key, form):
    assert seal_intake(key.public_key(), b"secret", INFO)[0] == form


@pytest.mark.parametrize("key", [X25519, P256])
def test_intake_of_another_owner_is_refused(key):
    with pytest.raises(SealBroken):
        open_intake(key, seal_intake(key.public_key(), b"secret", INFO), intake_info(UUID(int=8)))


def test_intake_under_another_key_is_refused():
    with pytest.raises(SealBroken):
        open_intake(X25519PrivateKey.generate(), seal_intake(X25519.public_key(), b"secret", INFO), INFO)


def test_intake_under_another_kind_of_key_is_refused():
    with pytest.raises(SealBroken):
        open_intake(P256, seal_intake(X25519.public_key(), b"secret", INFO), INFO)


@pytest.mark.parametrize(
    "sealed", [b"", b"\x01", b"\x01" + bytes(20), b"\x01" + bytes(60), b"\x09" + bytes(60)]
)
def test_intake_of_other_bytes_is_refused(sealed):
    with pytest.raises(SealBroken):
        open_intake(X25519, sealed, INFO)


def test_sealed_rest_opens():
    assert seal.open(MASTER, seal.seal(MASTER, b"secret", **PLACE), **PLACE) == b"secret"


def test_sealed_rest_begins_with_form_and_key_id():
    assert seal.seal(MASTER, b"secret", **PLACE)[:17] == b"\x11" + MASTER.id


@pytest.mark.parametrize(
    "other", [{"table": "job"}, {"row": UUID(int=10)}, {"purpose": "root"}, {"version": 2}]
)
def test_sealed_rest_in_another_place_is_refused(other):
    with pytest.raises(SealBroken, match="moved"):
        seal.open(MASTER, seal.seal(MASTER, b"secret", **PLACE), **PLACE | other)


def test_sealed_rest_under_another_master_is_refused():
    with pytest.raises(SealBroken, match="another master key"):
        seal.open(MasterKey(b"n" * 32), seal.seal(MASTER, b"secret", **PLACE), **PLACE)


@pytest.mark.parametrize("at", [0, 1, 16, 17, 28, 29, -1])
def test_sealed_rest_with_a_changed_byte_is_refused(at):
    sealed = bytearray(seal.seal(MASTER, b"secret", **PLACE))
    sealed[at] ^= 1
    with pytest.raises(SealBroken):
        seal.open(MASTER, bytes(sealed), **PLACE)


@pytest.mark.parametrize("length", [0, 1, 17, 29, 44])
def test_cut_sealed_rest_is_refused(length):
    with pytest.raises(SealBroken):
        seal.open(MASTER, seal.seal(MASTER, b"secret", **PLACE)[:length], **PLACE)


def test_master_key_does_not_show_itself():
    assert "mmmm" not in repr(MASTER)
