"""Pieces of one file, in order: while one is sealed and written, the next is read and hashed beside it.

Reading, SHA-256, AES and writing all let other threads run, so two cores share what one file costs.
"""

import errno
import hashlib
import os
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import NamedTuple, Self

from encryption.engines.native.blocks import zero_digest


class Piece(NamedTuple):
    """What was read of a piece; `flagged` has one byte of room before it, and is good until the next one."""

    flagged: memoryview
    length: int
    digest: bytes
    # All zeros: a hole of the file, or written so.
    is_zero: bool


class PieceReader:
    """Reads files piece by piece. A context: the thread beside it ends with it."""

    def __init__(self, block_size: int) -> None:
        self._block_size = block_size
        self._buffers = [memoryview(bytearray(1 + block_size)) for _ in range(2)]
        self._pool = ThreadPoolExecutor(1, "pieces")

    def read(self, fd: int, status: os.stat_result) -> Generator[Piece]:
        """Yield the pieces of an open file, fewer when it has become shorter. Close it before the file.

        Raises OSError.
        """
        size, block = status.st_size, self._block_size
        is_sparse = status.st_blocks * 512 < size
        ahead: Future[Piece] | None = None
        try:
            for start in range(0, size, block):
                length = min(block, size - start)
                piece = self._piece(fd, start, length, is_sparse) if ahead is None else ahead.result()
                following = start + block
                # A hole is found faster than handed over, and a sparse file may have millions.
                if following < size and piece.length == length and not is_sparse:
                    more = min(block, size - following)
                    ahead = self._pool.submit(self._piece, fd, following, more, is_sparse)
                yield piece
                if piece.length < length:
                    return
        finally:
            if ahead is not None:
                wait([ahead])

    def _piece(self, fd: int, start: int, length: int, is_sparse: bool) -> Piece:
        flagged = self._buffers[start // self._block_size % 2]
        if is_sparse and _is_hole(fd, start, length):
            return Piece(flagged, length, zero_digest(length), True)
        length = _fill(fd, flagged[1 : 1 + length], start)
        digest = hashlib.sha256(flagged[1 : 1 + length]).digest()
        is_zero = flagged[1] == 0 and digest == zero_digest(length)
        return Piece(flagged[: 1 + length], length, digest, is_zero)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()


def _fill(fd: int, buffer: memoryview, start: int) -> int:
    filled = 0
    while filled < len(buffer):
        count = os.preadv(fd, [buffer[filled:]], start + filled)
        if not count:
            break
        filled += count
    return filled


def _is_hole(fd: int, start: int, length: int) -> bool:
    try:
        return os.lseek(fd, start, os.SEEK_DATA) >= start + length
    except OSError as error:
        # ENXIO: no data follows. Anything else: the file system cannot say.
        return error.errno == errno.ENXIO
