"""TTLV, the encoding of KMIP: tag (3 bytes), type (1), length (4), value padded to 8 (KMIP 1.4, section 9.1).

What is read is bounded before it is worked on: a message, its nesting and the number of its items.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

LARGEST = 64 * 1024
HEAD_BYTES = 8

_DEEPEST = 16
_HEAD = struct.Struct(">I4x")


class Type(IntEnum):
    """The types that are written or looked into; an item of another one is kept as its bytes."""

    STRUCTURE = 1
    INTEGER = 2
    ENUMERATION = 5
    TEXT = 7
    BYTES = 8


@dataclass(frozen=True, repr=False)
class Item:
    """One item: a number, a text, bytes, or the items of a structure."""

    tag: int
    type: int
    value: "int | str | bytes | tuple[Item, ...]"

    def find(self, *path: int) -> "Item":
        """Return the first item below, by its path of tags. Raises ValueError without one."""
        found = self
        for tag in path:
            inside = found.value if isinstance(found.value, tuple) else ()
            match = next((item for item in inside if item.tag == tag), None)
            if match is None:
                raise ValueError(f"an item {tag:06x} is missing")
            found = match
        return found

    def number(self, *path: int) -> int:
        """Return a number below. Raises ValueError."""
        value = self.find(*path).value
        if not isinstance(value, int):
            raise ValueError("a number is no number")
        return value

    def text(self, *path: int) -> str:
        """Return a text below. Raises ValueError."""
        value = self.find(*path).value
        if not isinstance(value, str):
            raise ValueError("a text is no text")
        return value

    def octets(self, *path: int) -> bytes:
        """Return the bytes of an item below. Raises ValueError."""
        value = self.find(*path).value
        if not isinstance(value, bytes):
            raise ValueError("bytes are no bytes")
        return value


def structure(tag: int, *items: Item) -> Item:
    """Return a structure of items."""
    return Item(tag, Type.STRUCTURE, items)


def integer(tag: int, value: int) -> Item:
    """Return a signed number of 32 bits."""
    return Item(tag, Type.INTEGER, value)


def enumeration(tag: int, value: int) -> Item:
    """Return a value of a named list."""
    return Item(tag, Type.ENUMERATION, value)


def text(tag: int, value: str) -> Item:
    """Return a text."""
    return Item(tag, Type.TEXT, value)


def octets(tag: int, value: bytes) -> Item:
    """Return bytes."""
    return Item(tag, Type.BYTES, value)


def write(item: Item) -> bytes:
    """Return an item's encoding."""
    value = _value(item)
    head = item.tag.to_bytes(3, "big") + bytes([item.type]) + len(value).to_bytes(4, "big")
    return head + value + bytes(-len(value) % 8)


def length(head: bytes) -> int:
    """Return how many bytes follow the first eight of a message. Raises ValueError for too many."""
    found = int.from_bytes(head[4:8], "big")
    if len(head) != HEAD_BYTES or found > LARGEST:
        raise ValueError("a message is too long")
    return found


def read(content: bytes) -> Item:
    """Return the one item that `content` encodes. Raises ValueError."""
    items = tuple(_items(content, 0))
    if len(items) != 1:
        raise ValueError("not one item")
    return items[0]


def _value(item: Item) -> bytes:
    if isinstance(item.value, tuple):
        return b"".join(write(one) for one in item.value)
    if isinstance(item.value, bytes):
        return item.value
    if isinstance(item.value, str):
        return item.value.encode()
    return struct.pack(">i" if item.type == Type.INTEGER else ">I", item.value)


def _items(content: bytes, depth: int) -> Iterator[Item]:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    at = 0
    while at < len(content):
        tag, kind = int.from_bytes(content[at : at + 3], "big"), content[at + 3 : at + 4]
        size = int.from_bytes(content[at + 4 : at + 8], "big")
        end = at + HEAD_BYTES + size
        if end + (-size % 8) > len(content) or not kind:
            raise ValueError("an item is cut off")
        yield Item(tag, kind[0], _read(kind[0], content[at + HEAD_BYTES : end], depth))
        at = end + (-size % 8)


def _read(kind: int, value: bytes, depth: int) -> int | str | bytes | tuple[Item, ...]:
    if kind == Type.STRUCTURE:
        return tuple(_items(value, depth + 1))
    if kind == Type.TEXT:
        return value.decode()
    if kind in (Type.INTEGER, Type.ENUMERATION):
        if len(value) != 4:
            raise ValueError("a number has another length")
        return int.from_bytes(value, "big", signed=kind == Type.INTEGER)
    return value
