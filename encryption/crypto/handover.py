"""A secret handed to one open page: sealed to a key pair that the page made and never gives away.

ECDH on P-256 with a fresh key, HKDF-SHA256 (RFC 5869), AES-256-GCM: what every browser's WebCrypto can open.
"""

import os
from typing import TypedDict
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from encryption.crypto.encoding import to_base64
from encryption.errors import SealBroken

POINT_BYTES = 65
_NONCE_BYTES = 12


class Sealed(TypedDict):
    """What the page opens; each member is base64."""

    ephemeral: str
    nonce: str
    ciphertext: str


def info(release: UUID) -> bytes:
    """Return what binds a hand-over to its release."""
    return f"veeamsec/1|release|{release}".encode("ascii")


def seal_to_page(public: bytes, value: bytes, bound_to: bytes) -> Sealed:
    """Return `value` sealed to a page's public point (65 bytes, uncompressed). Raises SealBroken."""
    try:
        theirs = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public)
    except ValueError:
        raise SealBroken("The page's key is no point of P-256: open the page again.") from None
    ours, nonce = generate_private_key(SECP256R1()), os.urandom(_NONCE_BYTES)
    shared = ours.exchange(ECDH(), theirs)
    key = HKDF(SHA256(), 32, salt=None, info=bound_to).derive(shared)
    point = ours.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {
        "ephemeral": to_base64(point),
        "nonce": to_base64(nonce),
        "ciphertext": to_base64(AESGCM(key).encrypt(nonce, value, bound_to)),
    }
