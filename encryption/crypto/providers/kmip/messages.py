"""Four operations of KMIP 1.4, one batch item a message, as specified; tags by their numbers there."""

import ssl
from enum import IntFlag

from encryption.crypto.providers.kmip import ttlv
from encryption.crypto.providers.kmip.ttlv import Item

# Tags and values: KMIP 1.4, sections 9.1.3.1 and 9.1.3.2.
_REGISTER, _GET, _ACTIVATE = 0x03, 0x0A, 0x12
_SYMMETRIC_KEY, _AES, _RAW = 0x02, 0x03, 0x01
_ENCRYPT_METHOD, _NO_ENCODING, _NIST_KEY_WRAP = 0x01, 0x01, 0x0D
_UNINTERPRETED = 0x01

_MESSAGE, _HEADER, _VERSION = 0x420078, 0x420077, 0x420069
_ANSWER, _ITEM, _PAYLOAD = 0x42007B, 0x42000F, 0x42007C
_STATUS, _REASON, _SAYS = 0x42007F, 0x42007E, 0x42007D
_ID, _OPERATION = 0x420094, 0x42005C
_KEY, _BLOCK, _VALUE, _MATERIAL, _WRAPPING = 0x42008F, 0x420040, 0x420045, 0x420043, 0x420046

_LONGEST_REASON = 200


class Use(IntFlag):
    """What a key may be used for there."""

    ENCRYPT = 0x04
    DECRYPT = 0x08
    WRAP = 0x10


class Refusal(Exception):
    """The server understood, and said no; the text is its own."""


def register(connection: ssl.SSLSocket, key: bytes, name: str, use: Use) -> str:
    """Give the server an AES key; return its id there. Raises Refusal, ValueError, OSError."""
    named = ttlv.structure(0x42000B, ttlv.text(0x420055, name), ttlv.enumeration(0x420054, _UNINTERPRETED))
    block = ttlv.structure(
        _BLOCK,
        ttlv.enumeration(0x420042, _RAW),
        ttlv.structure(_VALUE, ttlv.octets(_MATERIAL, key)),
        ttlv.enumeration(0x420028, _AES),
        ttlv.integer(0x42002A, len(key) * 8),
    )
    attributes = ttlv.structure(
        0x420091,
        _attribute("Cryptographic Usage Mask", ttlv.integer(0x42000B, use)),
        _attribute("Name", named),
    )
    kind = ttlv.enumeration(0x420057, _SYMMETRIC_KEY)
    answer = _ask(connection, _REGISTER, kind, attributes, ttlv.structure(_KEY, block))
    return answer.text(_ID)


def activate(connection: ssl.SSLSocket, key: str) -> None:
    """Let a key be used. Raises Refusal, ValueError, OSError."""
    _ask(connection, _ACTIVATE, ttlv.text(_ID, key))


def get_wrapped(connection: ssl.SSLSocket, key: str, *, by: str) -> bytes:
    """Return a key wrapped under another one (AES key wrap). Raises Refusal, ValueError, OSError.

    An answer that says nothing of a wrapping is refused: it would be the bare key.
    """
    specification = ttlv.structure(
        0x420047,
        ttlv.enumeration(0x42009E, _ENCRYPT_METHOD),
        ttlv.structure(
            0x420036,
            ttlv.text(_ID, by),
            ttlv.structure(0x42002B, ttlv.enumeration(0x420011, _NIST_KEY_WRAP)),
        ),
        ttlv.enumeration(0x4200A3, _NO_ENCODING),
    )
    block = _ask(connection, _GET, ttlv.text(_ID, key), specification).find(_KEY, _BLOCK)
    block.find(_WRAPPING)
    return block.octets(_VALUE, _MATERIAL)


def _attribute(name: str, value: Item) -> Item:
    return ttlv.structure(0x420008, ttlv.text(0x42000A, name), value)


def _ask(connection: ssl.SSLSocket, operation: int, *payload: Item) -> Item:
    """Send one operation and return the payload of its answer."""
    version = ttlv.structure(_VERSION, ttlv.integer(0x42006A, 1), ttlv.integer(0x42006B, 4))
    header = ttlv.structure(_HEADER, version, ttlv.integer(0x42000D, 1))
    item = ttlv.structure(_ITEM, ttlv.enumeration(_OPERATION, operation), ttlv.structure(0x420079, *payload))
    connection.sendall(ttlv.write(ttlv.structure(_MESSAGE, header, item)))
    head = _exactly(connection, ttlv.HEAD_BYTES)
    answer = ttlv.read(head + _exactly(connection, ttlv.length(head)))
    if answer.tag != _ANSWER:
        raise ValueError("no answer of KMIP")
    found = answer.find(_ITEM)
    if found.number(_STATUS) != 0:
        raise Refusal(_said(found))
    return found.find(_PAYLOAD)


def _said(item: Item) -> str:
    try:
        return item.text(_SAYS)[:_LONGEST_REASON]
    except ValueError:
        return f"reason {item.number(_REASON)}"


def _exactly(connection: ssl.SSLSocket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            raise ValueError("the connection ended early")
        parts += part
    return bytes(parts)
