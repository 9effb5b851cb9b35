"""What stands inside a sealed file: members one after the other, each a head and frames, then an end."""

import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from encryption.crypto.encoding import canonical, from_integer, parse
from encryption.errors import SealBroken

FRAME = 1 << 20
_LARGEST_HEAD = 16 * 1024
_END = struct.pack(">I", 0)


class Sink(Protocol):
    """Where members go."""

    def write(self, data: bytes, /) -> object:
        """Take bytes."""


class Origin(Protocol):
    """Where members come from."""

    def read(self, size: int, /) -> bytes:
        """Give up to `size` bytes."""


@dataclass(frozen=True)
class Head:
    """A member: the database, or a file below the home with its mode and its user's name."""

    name: str
    mode: int = 0o600
    user: str = ""


def write(to: Sink, head: Head, content: BinaryIO) -> int:
    """Write one member; return the length of its content."""
    text = canonical({"mode": head.mode, "name": head.name, "user": head.user})
    to.write(struct.pack(">I", len(text)) + text)
    length = 0
    while data := content.read(FRAME):
        to.write(struct.pack(">I", len(data)) + data)
        length += len(data)
    to.write(_END)
    return length


def end(to: Sink) -> None:
    """Say that no member follows."""
    to.write(_END)


class Content:
    """The content of the member at hand, to be read to its end before the next."""

    def __init__(self, origin: Origin) -> None:
        self._origin, self._left, self._ended = origin, 0, False

    def read(self, size: int = FRAME) -> bytes:
        """Return up to `size` bytes; nothing at the end."""
        if self._left == 0 and not self._ended:
            self._left = _length(self._origin, FRAME)
            self._ended = self._left == 0
        data = self._origin.read(min(size, self._left))
        if self._left and not data:
            raise SealBroken("This file ends in the middle of a member.")
        self._left -= len(data)
        return data

    def copy_to(self, file: Any) -> None:
        """Copy all of it."""
        shutil.copyfileobj(self, file)


def read(origin: Origin) -> Iterator[tuple[Head, Content]]:
    """Return each member and its content, in order. Raises SealBroken."""
    while length := _length(origin, _LARGEST_HEAD):
        head, content = _head(origin.read(length)), Content(origin)
        yield head, content
        while content.read():
            pass


def _head(text: bytes) -> Head:
    try:
        value = parse(text)
        return Head(str(value["name"]), from_integer(value["mode"], 0, 0o777), str(value["user"]))
    except (KeyError, ValueError) as error:
        raise SealBroken("The head of a member cannot be read.") from error


def _length(origin: Origin, most: int) -> int:
    data = origin.read(4)
    if len(data) != 4 or (length := int.from_bytes(data, "big")) > most:
        raise SealBroken("This file ends too early, or holds what no version of ours wrote.")
    return length
