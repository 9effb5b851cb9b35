"""Pieces of files as blocks: compressed if that helps, then AES-256-GCM under the session's key.

One counter a session gives each block its nonce, so no nonce is ever used twice under one key; an
unencrypted file holds the same bytes plain.
"""

import hashlib
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from encryption.engines.native.header import LARGEST_BLOCK_SIZE
from encryption.errors import DamagedBlock

STORED = 0
ZSTD = 1
TAG_BYTES = 16
# What a piece's hash is cut to.
DIGEST_BYTES = 16
LARGEST_WINDOW = 8 * 1024 * 1024
# Higher levels cost a core more time than they save a disk.
_LEVEL = 1

_NONCE = struct.Struct(">IQ")


class Block(NamedTuple):
    """Where a block lies in its data file, as an entry lists it."""

    session: int
    counter: int
    offset: int
    length: int


class BlockWriter:
    """Appends blocks; `write` appends bytes to the data file, which has `offset` bytes so far."""

    def __init__(
        self,
        write: Callable[[bytes | memoryview], object],
        offset: int,
        *,
        session: UUID,
        key: bytes | None,
        compress: bool,
    ) -> None:
        self.offset = offset
        self._write = write
        self._bound_to = session.bytes
        self._cipher = AESGCM(key) if key is not None else None
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL) if compress else None
        self._counter = 0
        self._sealed = bytearray(1 + LARGEST_BLOCK_SIZE + TAG_BYTES)

    def append(self, flagged: memoryview) -> Block:
        """Append a piece, given with one byte of room before it, and return its place."""
        flagged[0] = STORED
        content: bytes | memoryview = flagged
        if self._compressor is not None:
            frame = self._compressor.compress(flagged[1:])
            if 1 + len(frame) < len(flagged):
                content = b"\x01" + frame
        if self._cipher is not None:
            length = len(content) + TAG_BYTES
            sealed = memoryview(self._sealed)[:length]
            self._cipher.encrypt_into(_NONCE.pack(0, self._counter), content, self._bound_to, sealed)
            content = sealed
        block = Block(0, self._counter, self.offset, len(content))
        self._write(content)
        self.offset += len(content)
        self._counter += 1
        return block


class BlockReader:
    """Opens blocks of one data file."""

    def __init__(self, sessions: list[tuple[UUID, bytes]] | None, block_size: int) -> None:
        """`sessions` are ids and keys in the header's order, None for an unencrypted file."""
        self._sessions = None if sessions is None else [(key.bytes, AESGCM(raw)) for key, raw in sessions]
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
        self._block_size = block_size

    @property
    def session_count(self) -> int:
        """Return how many sessions a block may name."""
        return 1 if self._sessions is None else len(self._sessions)

    @property
    def longest(self) -> int:
        """Return how long a stored block may be: a frame of a full piece, a flag and a tag."""
        return 1 + self._block_size + self._block_size // 128 + 1024 + TAG_BYTES

    def open(self, block: Block, stored: bytes, length: int) -> bytes | memoryview:
        """Return the piece of `length` bytes in `stored`; raises DamagedBlock."""
        content = self._decrypted(block, stored)
        flag, payload = content[0], memoryview(content)[1:]
        piece: bytes | memoryview
        if flag == STORED:
            piece = payload
        elif flag == ZSTD:
            piece = self._decompressed(payload)
        else:
            raise DamagedBlock("A block is of no known form.")
        if len(piece) != length:
            raise DamagedBlock("A block has another length than its file says.")
        return piece

    def _decrypted(self, block: Block, stored: bytes) -> bytes:
        if self._sessions is None:
            if not stored:
                raise DamagedBlock("A block is empty.")
            return stored
        bound_to, cipher = self._sessions[block.session]
        try:
            return cipher.decrypt(_NONCE.pack(0, block.counter), stored, bound_to)
        except (InvalidTag, ValueError):
            raise DamagedBlock("A block does not decrypt: its bytes were altered.") from None

    def _decompressed(self, frame: memoryview) -> bytes:
        try:
            stated = zstandard.get_frame_parameters(frame)
            if (
                stated.content_size > self._block_size
                or stated.window_size > LARGEST_WINDOW
                or stated.dict_id
            ):
                raise DamagedBlock("A compressed block declares a size or window that is out of bounds.")
            # Given its declared size as the bound, zstd stops at a frame that holds more or less.
            return self._decompressor.decompress(frame, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise DamagedBlock("A compressed block is not exactly one frame of its declared size.") from error


def digest_of(piece: bytes | memoryview) -> bytes:
    """Return what stands for a piece in `pieces`."""
    return hashlib.sha256(piece).digest()[:DIGEST_BYTES]


@lru_cache(maxsize=256)
def zero_digest(length: int) -> bytes:
    """Return the whole SHA-256 of `length` zeros, which are kept as a hole."""
    return hashlib.sha256(bytes(length)).digest()
