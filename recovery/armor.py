"""Documents as texts that survive mail: a begin line, base64, a checksum, an end line.

Written as docs/recovery-format.md §2 says; read tolerantly: quoting, line ends, widths and what stands
around the block do not matter, its content does to the bit.
"""

import base64
import binascii
import hashlib
import re
from enum import StrEnum

from recovery.errors import AnotherKind, Cut, Damaged, Unreadable

# What a response for 100,000 keys takes, with room.
LARGEST = 64 * 1024 * 1024
_WIDTH = 64
_SUM_BYTES = 6
_BEGIN = re.compile(r"-----BEGIN VEEAMSEC ([A-Z ]{1,40})-----")
_QUOTE = " \t>|\u00a0"
_LINES = re.compile(r"\r\n|\r|\n")


class Kind(StrEnum):
    """What a text is."""

    SERVER = "SERVER"
    KEYSET = "KEYSET"
    REQUEST = "RECOVERY REQUEST"
    RESPONSE = "RECOVERY RESPONSE"
    EXPORT = "KEYSET EXPORT"


def write(kind: Kind, content: bytes) -> str:
    """Return a document's bytes as text."""
    text = base64.b64encode(content).decode()
    lines = [text[start : start + _WIDTH] for start in range(0, len(text), _WIDTH)]
    return "\n".join(
        [
            f"-----BEGIN VEEAMSEC {kind}-----",
            *lines,
            f"={_sum(content)}",
            f"-----END VEEAMSEC {kind}-----",
            "",
        ]
    )


def read(kind: Kind, text: str) -> bytes:
    """Return the bytes of the first block of a kind. Raises AnotherKind, Cut, Damaged or Unreadable."""
    if len(text) > LARGEST:
        raise Unreadable(f"This text is longer than {LARGEST // 1024 // 1024} MiB.")
    lines = [line.strip(_QUOTE) for line in _LINES.split(text)]
    begin, end = f"-----BEGIN VEEAMSEC {kind}-----", f"-----END VEEAMSEC {kind}-----"
    if begin not in lines:
        raise _no_block(kind, lines)
    body = lines[lines.index(begin) + 1 :]
    if end not in body:
        raise Cut(f"The text of this {kind.lower()} is cut: its END line is missing. Copy all of it.")
    inside = [line for line in body[: body.index(end)] if line]
    if not inside or not inside[-1].startswith("="):
        raise Damaged(f"The checksum of this {kind.lower()} is missing. Copy the text again.")
    try:
        content = base64.b64decode("".join(inside[:-1]), validate=True)
    except (binascii.Error, ValueError):
        raise Damaged(f"The text of this {kind.lower()} was altered on its way. Copy it again.") from None
    if not content or inside[-1] != f"={_sum(content)}":
        raise Damaged(f"The checksum of this {kind.lower()} does not hold. Copy the text again.")
    return content


def _sum(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()[:_SUM_BYTES]).decode()


def _no_block(kind: Kind, lines: list[str]) -> Unreadable:
    others = [found.group(1) for line in lines if (found := _BEGIN.fullmatch(line))]
    if others:
        return AnotherKind(f"This is a {others[0].lower()}; here a {kind.lower()} is expected.")
    return Unreadable(f"This text holds no {kind.lower()}: it begins with -----BEGIN VEEAMSEC {kind}-----.")
