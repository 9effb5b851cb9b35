"""Strict reading and canonical writing of the small texts around keys: JSON, base64, UUIDs, times.

Readers get one spelling of each thing: a second spelling of the same value would escape a hash or a
comparison.
"""

import base64
import binascii
import json
import re
from typing import Any, NoReturn
from uuid import UUID

import rfc8785

# RFC 8785 numbers are IEEE doubles: integers beyond this lose digits in other readers.
LARGEST_INTEGER = 2**53 - 1

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def canonical(value: Any) -> bytes:
    """Return `value` as RFC 8785 canonical JSON in UTF-8."""
    return rfc8785.dumps(value)


def parse(text: bytes) -> dict[str, Any]:
    """Return the JSON object in `text`.

    Raises ValueError for anything but one object, duplicate names, non-integer numbers and integers that do
    not survive RFC 8785.
    """
    try:
        value = _DECODER.decode(text.decode())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _integer(text: str) -> int:
    # Before int(): its cost grows with the square of the digits.
    if len(text) > 17 or abs(value := int(text)) > LARGEST_INTEGER:
        raise ValueError("an integer is too large")
    return value


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is no integer")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_refuse_number,
    parse_constant=_refuse_number,
)


def to_base64(value: bytes) -> str:
    """Return standard base64 with padding."""
    return base64.b64encode(value).decode()


def from_base64(text: Any, length: int | None = None) -> bytes:
    """Return the bytes of a standard, padded base64 text, of `length` bytes if given; raises ValueError."""
    if not isinstance(text, str):
        raise ValueError("base64 must be text")
    try:
        value = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64") from error
    if (length is not None and len(value) != length) or to_base64(value) != text:
        raise ValueError("base64 of an unexpected form or length")
    return value


def from_uuid(text: Any) -> UUID:
    """Return the UUID of a lower-case hyphenated text; raises ValueError for every other spelling."""
    return UUID(uuid_text(text))


def uuid_text(text: Any) -> str:
    """Return `text` if it is a lower-case hyphenated UUID; raises ValueError otherwise."""
    if not isinstance(text, str) or not _UUID.fullmatch(text):
        raise ValueError("not a UUID")
    return text


def from_integer(value: Any, low: int, high: int) -> int:
    """Return `value` if it is an integer within the bounds; raises ValueError otherwise."""
    if type(value) is not int or not low <= value <= high:
        raise ValueError("not an integer within its bounds")
    return value
