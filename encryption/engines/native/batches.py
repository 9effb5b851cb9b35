"""Key lines by the hundred: what a re-key or a proof does to each costs a few calls, none of them ours.

A stretch of lines that all stand as we spell them is taken apart in one go. Anything else, a line of another
spelling, a damaged or a crashed one, is read line by line, which knows what to say of it.
"""

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator
from itertools import islice
from os import SEEK_CUR
from typing import BinaryIO, NamedTuple

from encryption.crypto.wrap import WRAPPED_BYTES, KeyWrapper
from encryption.engines.native.keyring import (
    AS_WRITTEN,
    LONGEST_LINE,
    KeyringHead,
    checked_line,
    read_lines,
)
from encryption.errors import DamagedKeyring, WrongKey

# What is read at once; enough for a few hundred lines, little beside what Python itself takes.
_STRETCH = 128 * 1024
_LINES = 500
_WRAPPED_TEXT = WRAPPED_BYTES // 3 * 4
_AS_WRITTEN_LINE = re.compile(AS_WRITTEN.pattern + rb"\n")
_BEFORE, _BETWEEN, _AFTER = b'{"restore_point":"', b'","storage_key":"', b'","wrapped":"'
_LINE_BYTES = len(_BEFORE + _BETWEEN + _AFTER + b'"}\n') + 2 * 36 + _WRAPPED_TEXT


class Batch(NamedTuple):
    """Some lines of a keyring in their order; `first` is the number of the first, the head's is 1."""

    first: int
    # Restore point and storage key of each line, as canonical texts.
    ids: list[tuple[bytes, bytes]]
    # The wrapped keys, one after the other.
    wrapped: bytes

    def places(self, head: KeyringHead) -> list[bytes]:
        """Return what each line's key is bound to under a head."""
        before, between, after = (part.encode("ascii") for part in head.place)
        return [before + point + between + key + after for point, key in self.ids]

    def keys(self, wrapper: KeyWrapper, places: list[bytes]) -> list[bytes]:
        """Return the storage keys; raises DamagedKeyring with the number of the first that does not open."""
        try:
            return wrapper.unwrap_many(self.wrapped, places)
        except WrongKey as error:
            number = self.first_wrong(wrapper, places)
            raise DamagedKeyring(f"Line {number} of the keyring does not open: {error.message}") from error

    def first_wrong(self, wrapper: KeyWrapper, places: list[bytes]) -> int:
        """Return the number of the first line that does not open, once it is known that one does not."""
        opened = set(wrapper.opened(self.wrapped, places))
        return self.first + next(index for index in range(len(places)) if index not in opened)

    def lines(self, wrapped: bytes) -> bytes:
        """Return the same lines with other wrapped keys, as they stand in a keyring."""
        text = b2a_base64(wrapped, newline=False)
        starts = range(0, len(text), _WRAPPED_TEXT)
        return b"".join(
            b"".join((_BEFORE, point, _BETWEEN, key, _AFTER, text[at : at + _WRAPPED_TEXT], b'"}\n'))
            for (point, key), at in zip(self.ids, starts, strict=True)
        )


def read_batches(file: BinaryIO) -> Iterator[Batch]:
    """Yield the lines after the head; a crashed append at the end is dropped.

    Raises DamagedKeyring with the number of the first line that is none.
    """
    first, rest = 2, b""
    while stretch := file.read(_STRETCH):
        text = rest + stretch
        end = text.rfind(b"\n") + 1
        found = _AS_WRITTEN_LINE.findall(text, 0, end)
        # Matches do not overlap, so as many as fit leave no byte between them.
        if len(found) * _LINE_BYTES != end or len(text) - end > LONGEST_LINE:
            file.seek(-len(text), SEEK_CUR)
            yield from _line_by_line(file, first)
            return
        rest = text[end:]
        if found:
            wrapped = a2b_base64(b"".join([line[2] for line in found]))
            yield Batch(first, [(line[0], line[1]) for line in found], wrapped)
            first += len(found)


def _line_by_line(file: BinaryIO, first: int) -> Iterator[Batch]:
    lines = read_lines(file)
    while some := list(islice(lines, _LINES)):
        parsed = [checked_line(raw, number) for number, raw in enumerate(some, start=first)]
        ids = [(line.restore_point.encode(), line.storage_key.encode()) for line in parsed]
        yield Batch(first, ids, b"".join(line.wrapped for line in parsed))
        first += len(some)
