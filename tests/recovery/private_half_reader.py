"""Restore with nothing but a keyset's private half; written from the two pages of the formats alone.

It imports nothing of the product, and only the data file's part of the reader that knows passwords.
"""

import base64
import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite
from cryptography.hazmat.primitives.serialization import load_der_private_key


def storage_key(job_folder: Path, restore_point: str, keyset: str, private_half: bytes) -> bytes:
    """Return the storage key of a restore point, from its .recovery file."""
    for text in (job_folder / f"{restore_point}.recovery").read_bytes().splitlines():
        line = json.loads(text)
        if line["keyset"] == keyset:
            return _opened(line, private_half)
    raise LookupError("no line of this keyset")


def _opened(line: dict[str, str], private_half: bytes) -> bytes:
    ids = (line["job"], line["restore_point"], line["storage_key"], line["keyset"])
    bound_to = "|".join(("veeamsec/1", "recovery", *ids)).encode()
    wrapped = base64.b64decode(line["wrapped"])
    if line["suite"] == "rsa-4096":
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        between = load_der_private_key(private_half, None).decrypt(wrapped[:512], oaep)
        sealed = wrapped[512:]
        return AESGCM(between).decrypt(sealed[:12], sealed[12:], bound_to)
    stretched = hashlib.shake_256(private_half).digest(96)
    key = MLKEM768X25519PrivateKey(
        MLKEM768PrivateKey.from_seed_bytes(stretched[:64]),
        X25519PrivateKey.from_private_bytes(stretched[64:]),
    )
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    return bytes(suite.decrypt(wrapped, key, bound_to))
