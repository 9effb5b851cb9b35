"""The key that signs checkpoints, rosters, orders and attestations: the worker's file and its public half."""

import hashlib
import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from django.conf import settings

from audit.errors import KeyUnavailable
from audit.note import Verifier

PRIVATE = "signing.key"
PUBLIC = "signing.pub"

# A PEM of an Ed25519 key is about 120 bytes.
LARGEST = 16 * 1024


def signing_key() -> Ed25519PrivateKey:
    """Return the private half, in the worker alone; raises KeyUnavailable."""
    path = Path(settings.WORKER_KEYS) / PRIVATE
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            if os.fstat(fd).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyUnavailable(f"Others can read {path}; close it with `chmod go= {path}`.")
            key = load_pem_private_key(file.read(LARGEST), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnavailable(
            f"The signing key {path} cannot be read; bring it back from its backup."
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnavailable(f"{path} holds no Ed25519 key.")
    return key


def signing_public() -> Ed25519PublicKey:
    """Return the public half; raises KeyUnavailable."""
    path = Path(settings.PUBLIC_KEYS) / PUBLIC
    try:
        with path.open("rb") as file:
            key = load_pem_public_key(file.read(LARGEST))
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise KeyUnavailable(f"The public signing key {path} cannot be read; run setup again.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyUnavailable(f"{path} holds no Ed25519 key.")
    return key


def keyid(public: Ed25519PublicKey) -> str:
    """Return a key's id: the SHA-256 of its 32 bytes."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()


def signing_keyid() -> str:
    """Return the id of the signing key."""
    return keyid(signing_public())


def log_verifier(public: Ed25519PublicKey) -> Verifier:
    """Return how a log is named and verified: its origin carries the first half of its key's id."""
    return Verifier(f"veeamsec.dev/log/{keyid(public)[:32]}", public)
