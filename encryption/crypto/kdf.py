"""From a password to a root, and from a root to the keys of one job.

One root a password version: many jobs cost one derivation. Bounds are checked before any work, so that a
forged keyring can neither ask for gigabytes nor offer a derivation that is cheap to guess through.
"""

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id as _Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from encryption.crypto import fips as approved
from encryption.crypto.encoding import from_base64, from_integer, to_base64
from encryption.crypto.secret import Secret
from encryption.errors import KdfRefused

KEY_BYTES = 32


@dataclass(frozen=True)
class KdfParameters(ABC):
    """How a password becomes a root, within the bounds of the format."""

    salt: bytes
    name: ClassVar[str]

    @staticmethod
    def from_json(value: Any) -> "KdfParameters":
        """Return the parameters in a keyring's `kdf` object; raises KdfRefused if one is out of bounds."""
        try:
            kind = _KINDS[value["name"]]
            fields = {key: field for key, field in value.items() if key not in {"name", "salt"}}
            return kind(salt=from_base64(value["salt"]), **fields)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise KdfRefused(
                "The key derivation of this keyring is unknown or outside the accepted bounds. Nothing was"
                " derived: take the keyring from a copy that you trust."
            ) from error

    def to_json(self) -> Mapping[str, Any]:
        """Return the keyring's `kdf` object."""
        fields = {key: value for key, value in vars(self).items() if key != "salt"}
        return {"name": self.name, "salt": to_base64(self.salt), **fields}

    @abstractmethod
    def derive(self, password: bytes) -> bytes:
        """Return 32 bytes; raises KdfRefused when the machine cannot give the memory."""

    def __post_init__(self) -> None:
        if not 16 <= len(self.salt) <= 64:
            raise ValueError("a salt has 16 to 64 bytes")


# Two derivations at once in one process wait for each other's threads in OpenSSL's pool, for ever.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Argon2id(KdfParameters):
    """RFC 9106, second recommended option by default: 64 MiB, three passes, four lanes."""

    time_cost: int = 3
    memory_kib: int = 65536
    parallelism: int = 4
    name = "argon2id"

    def __post_init__(self) -> None:
        super().__post_init__()
        from_integer(self.time_cost, 3, 16)
        from_integer(self.memory_kib, 65536, 4194304)
        from_integer(self.parallelism, 1, 16)

    def derive(self, password: bytes) -> bytes:
        """Return 32 bytes of Argon2id, version 19. Raises NotApproved under FIPS, KdfRefused."""
        approved.check("Argon2id", instead="Restore on a machine without FIPS, or from a keyset.")
        try:
            with _ONE_AT_A_TIME:
                return _Argon2id(
                    salt=self.salt,
                    length=KEY_BYTES,
                    iterations=self.time_cost,
                    lanes=self.parallelism,
                    memory_cost=self.memory_kib,
                ).derive(password)
        except MemoryError as error:
            raise KdfRefused(
                f"This password needs {self.memory_kib} KiB of free memory to derive."
            ) from error


@dataclass(frozen=True)
class Pbkdf2(KdfParameters):
    """SP 800-132 with HMAC-SHA-256, for machines that run under FIPS."""

    iterations: int = 600_000
    name = "pbkdf2-hmac-sha256"

    def __post_init__(self) -> None:
        super().__post_init__()
        from_integer(self.iterations, 600_000, 100_000_000)

    def derive(self, password: bytes) -> bytes:
        """Return 32 bytes of PBKDF2."""
        return PBKDF2HMAC(SHA256(), KEY_BYTES, self.salt, self.iterations).derive(password)


_KINDS: Mapping[str, type[KdfParameters]] = {kind.name: kind for kind in (Argon2id, Pbkdf2)}


def new_parameters(*, fips: bool = False) -> KdfParameters:
    """Return parameters with a fresh salt for a new password version."""
    return Pbkdf2(salt=os.urandom(64)) if fips else Argon2id(salt=os.urandom(16))


def derive_root(password: Secret, parameters: KdfParameters) -> bytes:
    """Return the root of a password version; slow on purpose, never inside a transaction."""
    return parameters.derive(password.reveal())


def user_key(root: bytes, job: UUID, user_key_id: UUID) -> bytes:
    """Return the key that wraps the storage keys of `job`."""
    return _expand(root, f"user-key|{job}|{user_key_id}")


def commitment(root: bytes, job: UUID, user_key_id: UUID, generation: int) -> bytes:
    """Return what a keyring states of its root, so that a wrong password is told from damage."""
    return _expand(root, f"commitment|{job}|{user_key_id}|{generation}")


def _expand(root: bytes, info: str) -> bytes:
    return HKDFExpand(SHA256(), KEY_BYTES, f"veeamsec/1|{info}".encode("ascii")).derive(root)
