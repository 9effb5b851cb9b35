"""The list of entries in a data file: one zstd frame, cut into chunks under the file's metakey.

The frame states its size, which is known only at the end; until then the lines wait compressed in memory,
never on a disk, for they are as secret as the data.
"""

import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple
from uuid import UUID

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from encryption.crypto.encoding import LARGEST_INTEGER, canonical, from_integer, from_uuid, parse
from encryption.engines.native.blocks import TAG_BYTES
from encryption.engines.native.entries import Entry
from encryption.errors import DamagedMetadata

CHUNK_BYTES = 1024 * 1024
LARGEST_METADATA = 16 * 1024**3
# The entry of a file of twelve terabytes; whatever is longer, or is no object, is not held until its end.
LONGEST_LINE = 1024**3

_NONCE = struct.Struct(">IQ")
_SEALED_CHUNK = CHUNK_BYTES + TAG_BYTES
_LEVEL = 3
_LARGEST_WINDOW_LOG = 27
# One zstd block makes at most 128 KiB of at least 4 bytes: what is fed at once bounds what comes out at once.
_FED_AT_ONCE = 1024


class MetadataHead(NamedTuple):
    """The first line of the metadata."""

    base: UUID | None
    entries: int


class Spool:
    """Lines of metadata, compressed in memory until all are known."""

    def __init__(self) -> None:
        self.entries = 0
        self._length = 0
        self._parts: list[bytes] = []
        self._compressor = zstandard.ZstdCompressor(level=1).compressobj()

    def add(self, entry: Entry) -> None:
        """Take the next entry."""
        line = entry.write()
        self.entries += 1
        self._length += len(line)
        self._keep(self._compressor.compress(line))

    def _keep(self, part: bytes) -> None:
        if part:
            self._parts.append(part)

    def frame(self, base: UUID | None) -> Iterator[bytes]:
        """Yield the frame's bytes; the spool is used up."""
        self._keep(self._compressor.flush())
        head = canonical({"base": None if base is None else str(base), "entries": self.entries}) + b"\n"
        parameters = zstandard.ZstdCompressionParameters.from_level(
            _LEVEL, write_content_size=True, write_checksum=True
        )
        size = len(head) + self._length
        compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj(size=size)
        yield compressor.compress(head)
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        for part in self._parts:
            yield compressor.compress(decompressor.decompress(part))
        self._parts.clear()
        yield compressor.flush()


def write_metadata(
    frame: Iterator[bytes], write: Callable[[bytes], object], *, key: bytes | None, header_digest: bytes
) -> int:
    """Write a frame, in chunks under `key` if there is one; returns the count of bytes written."""
    cipher = AESGCM(key) if key is not None else None
    waiting, length, number = bytearray(), 0, 0

    def emit(count: int, *, last: bool) -> int:
        chunk = bytes(waiting[:count])
        del waiting[:count]
        if cipher is not None:
            chunk = cipher.encrypt(_NONCE.pack(int(last), number), chunk, header_digest)
        write(chunk)
        return len(chunk)

    for part in frame:
        waiting += part
        # A full chunk waits until it is known not to be the last.
        while len(waiting) > CHUNK_BYTES:
            length += emit(CHUNK_BYTES, last=False)
            number += 1
    return length + emit(len(waiting), last=True)


class MetadataReader:
    """The metadata of one data file; every method reads it from the beginning."""

    def __init__(
        self,
        file: BinaryIO,
        *,
        offset: int,
        length: int,
        key: bytes | None,
        header_digest: bytes,
        block_size: int,
    ) -> None:
        self._file = file
        self._offset = offset
        self._length = length
        self._cipher = AESGCM(key) if key is not None else None
        self._header_digest = header_digest
        self._block_size = block_size

    def head(self) -> MetadataHead:
        """Return the first line; raises DamagedMetadata."""
        return _parse_head(next(self._lines(), b""))

    def entries(self) -> Iterator[Entry]:
        """Yield all entries in order; raises DamagedMetadata where the list does not hold."""
        lines = self._lines()
        head = _parse_head(next(lines, b""))
        count = 0
        for line in lines:
            yield Entry.read(line, self._block_size)
            count += 1
        if count != head.entries:
            raise DamagedMetadata(f"The restore point lists {count} entries and says {head.entries}.")

    def _chunks(self) -> Iterator[bytes]:
        size = CHUNK_BYTES if self._cipher is None else _SEALED_CHUNK
        count = -(-self._length // size)
        if self._length - (count - 1) * size <= (0 if self._cipher is None else TAG_BYTES):
            raise DamagedMetadata("The list of files has an impossible length. Take the file from a copy.")
        for number in range(count):
            last = number == count - 1
            self._file.seek(self._offset + number * size)
            chunk = self._file.read(min(size, self._length - number * size))
            if self._cipher is not None:
                try:
                    chunk = self._cipher.decrypt(_NONCE.pack(int(last), number), chunk, self._header_digest)
                except InvalidTag:
                    raise DamagedMetadata(
                        "The list of files does not decrypt: it was altered. Take the file from a copy."
                    ) from None
            yield chunk

    def _content(self) -> Iterator[bytes]:
        stream = zstandard.ZstdDecompressor(max_window_size=2**_LARGEST_WINDOW_LOG).decompressobj()
        declared, produced = None, 0
        try:
            for chunk in self._chunks():
                if declared is None:
                    declared = zstandard.frame_content_size(chunk)
                    if not 0 <= declared <= LARGEST_METADATA:
                        raise DamagedMetadata("The list of files declares no size, or one out of bounds.")
                for start in range(0, len(chunk), _FED_AT_ONCE):
                    if stream.eof:
                        raise DamagedMetadata("Something follows the list of files.")
                    content = stream.decompress(chunk[start : start + _FED_AT_ONCE])
                    produced += len(content)
                    if produced > declared:
                        raise DamagedMetadata("The list of files is longer than it declares.")
                    yield content
        except zstandard.ZstdError as error:
            raise DamagedMetadata(
                "The list of files does not decompress. Take the file from a copy."
            ) from error
        if not stream.eof or stream.unused_data or produced != declared:
            raise DamagedMetadata("The list of files is not exactly one frame of its declared size.")

    def _lines(self) -> Iterator[bytes]:
        waiting = bytearray()
        for content in self._content():
            if b"\n" not in content:
                waiting += content
                if bytes(waiting[:1]) not in (b"", b"{") or len(waiting) > LONGEST_LINE:
                    raise DamagedMetadata("A line of the list of files is no entry.")
                continue
            first, *others = content.split(b"\n")
            yield bytes(waiting + first)
            yield from others[:-1]
            waiting = bytearray(others[-1])
        if waiting:
            raise DamagedMetadata("The last line of the list of files is cut.")


def _parse_head(line: bytes) -> MetadataHead:
    try:
        value = parse(line)
        if value.keys() != {"base", "entries"}:
            raise ValueError("unexpected or missing names")
        base = None if value["base"] is None else from_uuid(value["base"])
        return MetadataHead(base, from_integer(value["entries"], 0, LARGEST_INTEGER))
    except ValueError as error:
        raise DamagedMetadata(f"The list of files begins with a damaged line ({error}).") from error
