"""A long stream under one password: chunks of AES-256-GCM that can be neither reordered nor cut (STREAM).

docs/self-backup.md is the format. Each file has a key of its own, so its chunks may simply be counted.
"""

import hashlib
import struct
from typing import BinaryIO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from encryption.crypto import kdf
from encryption.crypto.encoding import canonical, from_uuid, parse
from encryption.crypto.secret import Secret
from encryption.errors import KdfRefused, SealBroken

MAGIC = b"VSECSELF\x01"
CHUNK = 1 << 20
_TAG = 16
_LARGEST_HEADER = 4096


class SealedWriter:
    """Writes one sealed stream; `close` writes the last chunk, without which no reader accepts it."""

    def __init__(
        self, file: BinaryIO, password: Secret, about: dict[str, str], *, fips: bool = False
    ) -> None:
        """Derive the key (slow) and write the head; `about` holds at least the file's `id`."""
        parameters = kdf.new_parameters(fips=fips)
        head = canonical({**about, "kdf": dict(parameters.to_json())})
        self._file, self._buffer, self._number = file, bytearray(), 0
        self._cipher, self._bound = _cipher(password, parameters, from_uuid(about["id"]), head)
        file.write(MAGIC + struct.pack(">I", len(head)) + head)

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._buffer += data
        # A whole chunk waits until it is known not to be the last.
        while len(self._buffer) > CHUNK:
            self._seal(bytes(self._buffer[:CHUNK]), last=False)
            del self._buffer[:CHUNK]

    def close(self) -> None:
        """Write the last chunk."""
        self._seal(bytes(self._buffer), last=True)

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last), chunk, self._bound))
        self._number += 1


class SealedReader:
    """Reads one sealed stream; every byte it returns was authenticated."""

    def __init__(self, file: BinaryIO, password: Secret) -> None:
        """Read the head and derive the key (slow). Raises SealBroken."""
        self._file = file
        if file.read(len(MAGIC)) != MAGIC:
            raise SealBroken("This is no backup of VeeamSec itself, or one of a version that came later.")
        [length] = struct.unpack(">I", _exactly(file, 4))
        if length > _LARGEST_HEADER:
            raise SealBroken("The head of this file is too long.")
        head = _exactly(file, length)
        try:
            self.about = parse(head)
            parameters = kdf.KdfParameters.from_json(self.about.pop("kdf"))
            self._cipher, self._bound = _cipher(password, parameters, from_uuid(self.about["id"]), head)
        except (KeyError, ValueError, KdfRefused) as error:
            raise SealBroken("The head of this file cannot be read.") from error
        self._buffer, self._number, self._ended = bytearray(), 0, False
        self._ahead = file.read(CHUNK + _TAG)

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, fewer only at the end. Raises SealBroken."""
        while len(self._buffer) < size and not self._ended:
            self._open()
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found

    def _open(self) -> None:
        chunk, self._ahead = self._ahead, self._file.read(CHUNK + _TAG)
        self._ended = not self._ahead
        try:
            self._buffer += self._cipher.decrypt(_nonce(self._number, self._ended), chunk, self._bound)
        except (InvalidTag, ValueError):
            what = f"Chunk {self._number} does not hold" if self._number else "The pass phrase is another"
            raise SealBroken(f"{what}, or the file was cut or altered.") from None
        self._number += 1


def _cipher(
    password: Secret, parameters: kdf.KdfParameters, file_id: UUID, head: bytes
) -> tuple[AESGCM, bytes]:
    root = kdf.derive_root(password, parameters)
    info = f"veeamsec/1|self-backup|{file_id}".encode("ascii")
    key = HKDFExpand(SHA256(), kdf.KEY_BYTES, info).derive(root)
    return AESGCM(key), hashlib.sha256(MAGIC + head).digest()


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise SealBroken("This file was cut.")
    return data
