"""Keys under keys: AES-256-GCM with a random nonce, bound to its place by the associated data.

A wrapped key is 60 bytes: nonce (12), ciphertext (32), tag (16). The associated data names purpose and ids,
so that a wrapped key that was moved to another line, file, job or user key does not open there.
"""

import os
import struct
from collections.abc import Sequence
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from encryption.errors import WrongKey

WRAPPED_BYTES = 60
_NONCE_BYTES = 12
_KEY_BYTES = 32
_NONCES, _PARTS = struct.Struct(f"{_NONCE_BYTES}s"), struct.Struct(f"{_NONCE_BYTES}s{_KEY_BYTES + 16}s")
_DOES_NOT_OPEN = (
    "A wrapped key does not open in this place: it was altered or moved. Take its file from a copy."
)

# The count of ids each purpose binds; see the table of the format.
PURPOSES = {"session": 2, "meta": 1, "storage": 4, "recovery": 4}


def associated(purpose: str, *ids: UUID | str) -> bytes:
    """Return the associated data of `purpose` for `ids`, which are UUIDs or their canonical text."""
    if len(ids) != PURPOSES[purpose]:
        raise ValueError(f"{purpose} binds {PURPOSES[purpose]} ids")
    return "|".join(("veeamsec/1", purpose, *map(str, ids))).encode("ascii")


class KeyWrapper:
    """One wrapping key, set up once for many wraps."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise ValueError("a wrapping key has 32 bytes")
        self._cipher = AESGCM(key)

    def wrap(self, key: bytes, bound_to: bytes) -> bytes:
        """Return `key` wrapped: 60 bytes."""
        if len(key) != _KEY_BYTES:
            raise ValueError("a wrapped key has 32 bytes")
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, bound_to)

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        """Return the key in `wrapped`; raises WrongKey when key, bytes or place differ."""
        if len(wrapped) != WRAPPED_BYTES:
            raise WrongKey("A wrapped key has an unexpected length: its file was cut or altered.")
        try:
            return self._cipher.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], bound_to)
        except InvalidTag:
            raise WrongKey(_DOES_NOT_OPEN) from None

    def wrap_many(self, keys: Sequence[bytes], places: Sequence[bytes]) -> bytes:
        """Return many keys wrapped, each bound to its place: 60 bytes a key, one after the other."""
        if not set(map(len, keys)) <= {_KEY_BYTES}:
            raise ValueError("a wrapped key has 32 bytes")
        encrypt, nonces = self._cipher.encrypt, _NONCES.iter_unpack(os.urandom(_NONCE_BYTES * len(keys)))
        wrapped = zip(nonces, keys, places, strict=True)
        return b"".join([nonce + encrypt(nonce, key, place) for (nonce,), key, place in wrapped])

    def unwrap_many(self, wrapped: bytes, places: Sequence[bytes]) -> list[bytes]:
        """Return the keys in many wrapped ones; raises WrongKey when one of them does not open."""
        if len(wrapped) != WRAPPED_BYTES * len(places):
            raise WrongKey("A wrapped key has an unexpected length: its file was cut or altered.")
        decrypt, parts = self._cipher.decrypt, zip(_PARTS.iter_unpack(wrapped), places, strict=True)
        try:
            return [decrypt(nonce, sealed, place) for (nonce, sealed), place in parts]
        except InvalidTag:
            raise WrongKey(_DOES_NOT_OPEN) from None

    def opened(self, wrapped: bytes, places: Sequence[bytes]) -> list[int]:
        """Return the indices of those that open in their places; where none should, an empty list."""
        decrypt, found = self._cipher.decrypt, []
        for index, ((nonce, sealed), place) in enumerate(
            zip(_PARTS.iter_unpack(wrapped), places, strict=True)
        ):
            try:
                decrypt(nonce, sealed, place)
            except InvalidTag:
                continue
            found.append(index)
        return found


def wrap(wrapping_key: bytes, key: bytes, bound_to: bytes) -> bytes:
    """Return `key` wrapped once under `wrapping_key`."""
    return KeyWrapper(wrapping_key).wrap(key, bound_to)


def unwrap(wrapping_key: bytes, wrapped: bytes, bound_to: bytes) -> bytes:
    """Return the key in `wrapped`; raises WrongKey."""
    return KeyWrapper(wrapping_key).unwrap(wrapped, bound_to)
