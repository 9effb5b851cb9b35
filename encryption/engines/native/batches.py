"""Key lines by the hundred: what a re-key or a proof does to each costs a few calls, none of them ours.

A stretch of lines that all stand as we spell them is taken apart in one go. Anything else, a line of another
spelling, a damaged or a crashed one, is read line by line, which knows what to say of it.
"""

from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Iterator
from itertools import islice
from os import SEEK_CUR
from struct import Struct
from typing import BinaryIO, NamedTuple

from encryption.crypto.wrap import WRAPPED_BYTES, KeyWrapper
from encryption.engines.native.keyring import (
    LONGEST_LINE,
    KeyringHead,
    checked_line,
    read_lines,
)
from encryption.errors import DamagedKeyring, WrongKey

# What is read at once; enough for a few hundred lines, little beside what Python itself takes.
_STRETCH = 128 * 1024
_LINES = 500
_BEFORE, _BETWEEN, _AFTER, _END = b'{"restore_point":"', b'","storage_key":"', b'","wrapped":"', b'"}\n'
_WRAPPED_TEXT = WRAPPED_BYTES // 3 * 4
# A line whose two ids were drawn together, as they stand in the place that its key is bound to.
_IDS = b"00000000-0000-0000-0000-000000000000|00000000-0000-0000-0000-000000000000"
_DRAWN = Struct(f"{len(_BEFORE)}x{len(_IDS)}s{len(_AFTER)}x{_WRAPPED_TEXT}s{len(_END)}x")
_WRAPPED = Struct(f"{_WRAPPED_TEXT}s")
_DIGITS = bytes.maketrans(b"0123456789abcdef", b"0" * 16)


class Batch(NamedTuple):
    """Some lines of a keyring in their order; `first` is the number of the first, the head's is 1."""

    first: int
    # Restore point and storage key of each line, as canonical texts with a stroke between them.
    ids: list[bytes]
    # The wrapped keys, one after the other.
    wrapped: bytes

    def places(self, head: KeyringHead) -> list[bytes]:
        """Return what each line's key is bound to under a head."""
        before, _, after = (part.encode("ascii") for part in head.place)
        return [before + ids + after for ids in self.ids]

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
        texts = _WRAPPED.iter_unpack(b2a_base64(wrapped, newline=False))
        inner = [ids + _AFTER + text for ids, (text,) in zip(self.ids, texts, strict=True)]
        return (_BEFORE + (_END + _BEFORE).join(inner) + _END).replace(b"|", _BETWEEN)


def read_batches(file: BinaryIO) -> Iterator[Batch]:
    """Yield the lines after the head; a crashed append at the end is dropped.

    Raises DamagedKeyring with the number of the first line that is none.
    """
    first, rest = 2, b""
    while stretch := file.read(_STRETCH):
        text = rest + stretch
        end = text.rfind(b"\n") + 1
        rest = text[end:]
        batch = _taken_apart(text[:end], first)
        if batch is None or len(rest) > LONGEST_LINE:
            file.seek(-len(text), SEEK_CUR)
            yield from _line_by_line(file, first)
            return
        if batch.ids:
            yield batch
            first += len(batch.ids)


def _taken_apart(text: bytes, first: int) -> Batch | None:
    """Return the lines of a text in which each stands as we spell it, else None.

    Ids and wrapped keys hold no quotation mark. So what stands around them fits nowhere but where it belongs,
    and is everywhere there when there is enough of it.
    """
    drawn = text.replace(_BETWEEN, b"|")
    count, more = divmod(len(drawn), _DRAWN.size)
    if more or len(text) - len(drawn) != count * (len(_BETWEEN) - 1):
        return None
    if not count:
        return Batch(first, [], b"")
    whole = drawn.startswith(_BEFORE) and drawn.endswith(_END) and drawn.count(_END + _BEFORE) == count - 1
    if not whole or drawn.count(_AFTER) != count:
        return None
    ids, texts = zip(*_DRAWN.iter_unpack(drawn), strict=True)
    try:
        wrapped = a2b_base64(b"".join(texts), strict_mode=True)
    except Error:
        return None
    if len(wrapped) != count * WRAPPED_BYTES or b"".join(ids).translate(_DIGITS) != _IDS * count:
        return None
    return Batch(first, list(ids), wrapped)


def _line_by_line(file: BinaryIO, first: int) -> Iterator[Batch]:
    lines = read_lines(file)
    while some := list(islice(lines, _LINES)):
        parsed = [checked_line(raw, number) for number, raw in enumerate(some, start=first)]
        ids = [f"{line.restore_point}|{line.storage_key}".encode("ascii") for line in parsed]
        yield Batch(first, ids, b"".join(line.wrapped for line in parsed))
        first += len(some)
