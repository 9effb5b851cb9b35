"""Keysets: a storage key wrapped a second time, for the Enterprise Manager, in two suites.

`rsa-4096` is Veeam's own; `x-wing` is hybrid and withstands a quantum computer as long as either half does.
Public and private halves travel as plain bytes; their form is described in docs/format.md.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from encryption.crypto import fips as approved
from encryption.crypto import wrap
from encryption.errors import KeyMaterialError, WrongKey

RSA, X_WING = "rsa-4096", "x-wing"

_RSA_BITS, _RSA_BYTES = 4096, 512
_SEED_BYTES, _MLKEM_PUBLIC, _X25519_BYTES = 32, 1184, 32
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
_HPKE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclass(frozen=True, repr=False)
class Pair:
    """A new keyset's two halves as bytes; the private one is never stored in clear."""

    suite: str
    public: bytes
    private: bytes


# Whoever holds a private half, this process or a token that never gives it away: from a wrapped key and its
# associated data to the storage key; raises WrongKey.
Opener = Callable[[bytes, bytes], bytes]
# From a storage key and its associated data to the wrapped key.
Wrapper = Callable[[bytes, bytes], bytes]


def check_suite(suite: str) -> None:
    """Refuse a suite that FIPS does not approve, where it is in force. Raises NotApproved."""
    if suite == X_WING:
        approved.check(f"suite {X_WING}", instead=f"Take a keyset of suite {RSA}.")


def generate(suite: str) -> Pair:
    """Return a new pair. Raises KeyMaterialError for a suite that this version does not know, NotApproved."""
    check_suite(suite)
    if suite == RSA:
        key = generate_private_key(65537, _RSA_BITS)
        private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return Pair(RSA, _der(key.public_key()), private)
    if suite == X_WING:
        seed = os.urandom(_SEED_BYTES)
        return Pair(X_WING, public_of(X_WING, seed), seed)
    raise KeyMaterialError(f"There is no keyset suite {suite!r}: take {RSA} or {X_WING}.")


def public_of(suite: str, private: bytes) -> bytes:
    """Return the public half that belongs to a private one. Raises KeyMaterialError."""
    if suite == RSA:
        return _der(_rsa_private(private).public_key())
    lattice, curve = _x_wing_halves(private)
    return lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()


def wrapper(suite: str, public: bytes) -> Wrapper:
    """Return what wraps storage keys (32 bytes) for a keyset: 572 bytes (rsa-4096) or 1,168 (x-wing) each.

    What binds a wrapped key is the associated data of purpose `recovery`. Raises KeyMaterialError for what is
    no public half of the suite, before anything is wrapped.
    """
    return _WRAPPERS.get(suite, _no_suite)(public)


def opener(suite: str, private: bytes) -> Opener:
    """Return what opens wrapped keys with a private half that this process holds. Raises KeyMaterialError."""
    if suite == RSA:
        return rsa_opener(_rsa_private(private))
    lattice, curve = _x_wing_halves(private)
    return x_wing_opener(MLKEM768X25519PrivateKey(lattice, curve))


class HoldsRsa(Protocol):
    """An RSA private key, or a token's stand-in for one."""

    def decrypt(self, ciphertext: bytes, padding: padding.OAEP) -> bytes:
        """Return what was encrypted to it; raises ValueError."""


def rsa_opener(key: HoldsRsa) -> Opener:
    """Return what opens keys wrapped in suite `rsa-4096`."""

    def open_it(wrapped: bytes, bound_to: bytes) -> bytes:
        if len(wrapped) != _RSA_BYTES + wrap.WRAPPED_BYTES:
            raise WrongKey(_WRONG)
        try:
            between = key.decrypt(wrapped[:_RSA_BYTES], _OAEP)
        except ValueError:
            # One answer for every fault: a decryption oracle begins with two.
            raise WrongKey(_WRONG) from None
        if len(between) != _SEED_BYTES:
            raise WrongKey(_WRONG)
        try:
            return wrap.unwrap(between, wrapped[_RSA_BYTES:], bound_to)
        except WrongKey:
            raise WrongKey(_WRONG) from None

    return open_it


def x_wing_opener(key: MLKEM768X25519PrivateKey) -> Opener:
    """Return what opens keys wrapped in suite `x-wing`."""

    def open_it(wrapped: bytes, bound_to: bytes) -> bytes:
        try:
            found = _HPKE.decrypt(wrapped, key, bound_to)
        except (InvalidTag, ValueError):
            raise WrongKey(_WRONG) from None
        if len(found) != _SEED_BYTES:
            raise WrongKey(_WRONG)
        return bytes(found)

    return open_it


_WRONG = "A wrapped key does not open with this keyset: it belongs to another one, or was altered or moved."


def _der(key: RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _rsa_private(private: bytes) -> RSAPrivateKey:
    try:
        key = load_der_private_key(private, None)
    except ValueError:
        raise KeyMaterialError("This is no private half of a keyset.") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size != _RSA_BITS:
        raise KeyMaterialError("This is no private half of suite rsa-4096.")
    return key


def _x_wing_halves(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    check_suite(X_WING)
    # draft-connolly-cfrg-xwing-kem: one seed of 32 bytes, stretched to those of both halves.
    if len(seed) != _SEED_BYTES:
        raise KeyMaterialError("This is no private half of suite x-wing.")
    stretched = hashlib.shake_256(seed).digest(96)
    return (
        MLKEM768PrivateKey.from_seed_bytes(stretched[:64]),
        X25519PrivateKey.from_private_bytes(stretched[64:]),
    )


def _rsa_wrapper(public: bytes) -> Wrapper:
    try:
        key = load_der_public_key(public)
    except ValueError:
        raise KeyMaterialError("This is no public half of a keyset.") from None
    if not isinstance(key, RSAPublicKey) or key.key_size != _RSA_BITS:
        raise KeyMaterialError("This is no public half of suite rsa-4096.")

    def wrap_it(storage_key: bytes, bound_to: bytes) -> bytes:
        between = os.urandom(_SEED_BYTES)
        return key.encrypt(between, _OAEP) + wrap.wrap(between, storage_key, bound_to)

    return wrap_it


def _x_wing_wrapper(public: bytes) -> Wrapper:
    check_suite(X_WING)
    if len(public) != _MLKEM_PUBLIC + _X25519_BYTES:
        raise KeyMaterialError("This is no public half of suite x-wing.")
    try:
        key = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC]),
            X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC:]),
        )
    except ValueError:
        raise KeyMaterialError("This is no public half of suite x-wing.") from None
    return lambda storage_key, bound_to: bytes(_HPKE.encrypt(storage_key, key, bound_to))


def _no_suite(public: bytes) -> Wrapper:
    raise KeyMaterialError(f"This keyset's suite is unknown here: take {RSA} or {X_WING}.")


_WRAPPERS: Mapping[str, Callable[[bytes], Wrapper]] = {RSA: _rsa_wrapper, X_WING: _x_wing_wrapper}
