"""Secrets that travel, and secrets that rest.

Intake: a process that may not open anything seals what it received to the worker's public key (HPKE, RFC
9180). Rest: the worker seals under its master key, bound to table, row, purpose and version, so that a
sealed value copied to another row does not open there. Both forms begin with a byte that names them.
"""

import os
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from encryption.crypto import fips
from encryption.crypto.encoding import canonical
from encryption.errors import OtherKey, SealBroken

IntakePrivate = X25519PrivateKey | EllipticCurvePrivateKey
IntakePublic = X25519PublicKey | EllipticCurvePublicKey

# Stored first bytes, never reused.
_INTAKE_X25519 = b"\x01"
_INTAKE_P256 = b"\x02"
_AT_REST = b"\x11"

_ID_BYTES = 16
_NONCE_BYTES = 12


def intake_info(owner: UUID) -> bytes:
    """Return the HPKE info of what is sealed for a request or an object."""
    return f"veeamsec/1|intake|{owner}".encode("ascii")


def seal_intake(public_key: IntakePublic, plaintext: bytes, info: bytes) -> bytes:
    """Return `plaintext` sealed to the worker's intake key."""
    form = _form(isinstance(public_key, X25519PublicKey))
    return form + _suite(form).encrypt(plaintext, public_key, info)


def open_intake(private_key: IntakePrivate, sealed: bytes, info: bytes) -> bytes:
    """Return what was sealed to the intake key; raises SealBroken for another key, owner or changed bytes."""
    form = _form(isinstance(private_key, X25519PrivateKey))
    if sealed[:1] != form:
        raise SealBroken("This secret was sealed to an intake key of another kind.")
    try:
        return _suite(form).decrypt(sealed[1:], private_key, info)
    except (InvalidTag, ValueError):
        raise SealBroken(
            "This secret does not open: it was sealed to another key or owner, or altered."
        ) from None


def _form(is_x25519: bool) -> bytes:
    return _INTAKE_X25519 if is_x25519 else _INTAKE_P256


def _suite(form: bytes) -> Suite:
    fips.check_curve(is_x25519=form == _INTAKE_X25519)
    kem = KEM.X25519 if form == _INTAKE_X25519 else KEM.P256
    return Suite(kem, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclass(frozen=True, repr=False)
class MasterKey:
    """The key of everything the worker keeps; its id is derived from it and so commits to it."""

    key: bytes

    def __post_init__(self) -> None:
        if len(self.key) != 32:
            raise ValueError("a master key has 32 bytes")

    @property
    def id(self) -> bytes:
        """Return 16 bytes that name this key and that no other key shares."""
        return HKDFExpand(SHA256(), _ID_BYTES, b"veeamsec/1|master-key-id").derive(self.key)

    @property
    def mark(self) -> bytes:
        """Return the bytes with which everything begins that is sealed under this key."""
        return _AT_REST + self.id


def seal(
    master: MasterKey, plaintext: bytes, *, table: str, row: UUID | str, purpose: str, version: int
) -> bytes:
    """Return `plaintext` sealed for one column of one row at one version."""
    nonce = os.urandom(_NONCE_BYTES)
    bound_to = _place(table, row, purpose, version)
    return _AT_REST + master.id + nonce + AESGCM(master.key).encrypt(nonce, plaintext, bound_to)


def open(
    master: MasterKey, sealed: bytes, *, table: str, row: UUID | str, purpose: str, version: int
) -> bytes:
    """Return what was sealed for this place; raises SealBroken for another place or changed bytes.

    Another key is OtherKey.
    """
    nonce, rest = sealed[17:29], sealed[29:]
    if sealed[:1] != _AT_REST or len(rest) < 16:
        raise SealBroken("This is no sealed secret of a form that this version knows.")
    if not sealed.startswith(master.mark):
        raise OtherKey("This secret rests under another master key: restore that key's file first.")
    try:
        return AESGCM(master.key).decrypt(nonce, rest, _place(table, row, purpose, version))
    except InvalidTag:
        raise SealBroken("This sealed secret was altered, or moved here from another row.") from None


def _place(table: str, row: UUID | str, purpose: str, version: int) -> bytes:
    return canonical({"purpose": purpose, "row": str(row), "table": table, "version": version})
