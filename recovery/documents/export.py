"""A keyset that leaves the house: its private half under a passphrase, its head in clear and bound to it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from encryption.crypto import kdf, keysets
from encryption.crypto.encoding import canonical, from_base64, from_uuid, parse, to_base64
from encryption.crypto.secret import Secret
from encryption.engines.native.recovery import SUITES
from recovery.documents.forms import exact, guarded, one_of, read_time, text_of, written
from recovery.errors import DoesNotOpen, NotGenuine

_NONCE = 12


@dataclass(frozen=True, slots=True)
class Head:
    """What an export says of itself in clear."""

    keyset: UUID
    suite: str
    public: bytes
    description: str
    enterprise: UUID
    created: datetime
    kdf: kdf.KdfParameters


def build_head(head: Head) -> dict[str, Any]:
    """Return the head as it stands in the text."""
    return {
        "created": written(head.created),
        "description": head.description,
        "enterprise": str(head.enterprise),
        "kdf": dict(head.kdf.to_json()),
        "keyset": str(head.keyset),
        "public": to_base64(head.public),
        "suite": head.suite,
        "type": "veeamsec-keyset-export",
        "version": 1,
    }


def seal(head: Head, private: bytes, passphrase: Secret) -> bytes:
    """Return the bytes of an export; derives, so it takes a while."""
    nonce, told = os.urandom(_NONCE), build_head(head)
    ciphertext = AESGCM(_key(head, passphrase)).encrypt(nonce, private, canonical(told))
    return canonical({"ciphertext": to_base64(ciphertext), "head": told, "nonce": to_base64(nonce)})


def read_head(export: bytes) -> Head:
    """Return what an export says of itself; nothing is proven yet. Raises NotGenuine."""
    return guarded(lambda: _head(parse(export)))


def open_export(export: bytes, passphrase: Secret) -> tuple[Head, bytes]:
    """Return head and private half.

    Raises NotGenuine, and DoesNotOpen for a wrong passphrase or altered bytes.
    """
    head = read_head(export)
    value = guarded(lambda: parse(export))
    nonce = guarded(lambda: from_base64(value["nonce"], _NONCE))
    ciphertext = guarded(lambda: from_base64(value["ciphertext"]))
    try:
        private = AESGCM(_key(head, passphrase)).decrypt(nonce, ciphertext, canonical(value["head"]))
    except InvalidTag:
        raise DoesNotOpen("The passphrase is wrong, or the export was altered.") from None
    if keysets.public_of(head.suite, private) != head.public:
        raise NotGenuine("The two halves in this export do not belong together.")
    return head, private


def _head(value: Mapping[str, Any]) -> Head:
    exact(value, "ciphertext head nonce")
    head = value["head"]
    exact(head, "created description enterprise kdf keyset public suite type version")
    if (head["type"], head["version"]) != ("veeamsec-keyset-export", 1):
        raise ValueError("another type or version")
    return Head(
        keyset=from_uuid(head["keyset"]),
        suite=one_of(head["suite"], SUITES),
        public=from_base64(head["public"]),
        description=text_of(head["description"], 0, 200),
        enterprise=from_uuid(head["enterprise"]),
        created=read_time(head["created"]),
        kdf=kdf.KdfParameters.from_json(head["kdf"]),
    )


def _key(head: Head, passphrase: Secret) -> bytes:
    root = kdf.derive_root(passphrase, head.kdf)
    info = f"veeamsec/1|keyset-export|{head.keyset}".encode("ascii")
    return HKDFExpand(SHA256(), 32, info).derive(root)
