"""Texts that people write into a request or a decision: as long as is allowed, and read as what they are."""

import unicodedata

from approvals.errors import Invalid

# Signs that make a text read other than it is: directions, joiners, marks of byte order.
_MISLEADING = frozenset("\u200b\u200e\u200f\u2060\ufeff") | {
    chr(code) for start, end in ((0x202A, 0x202E), (0x2066, 0x2069)) for code in range(start, end + 1)
}


def text(value: object, what: str, most: int, *, blank: bool = False, lines: bool = True) -> str:
    """Return a text that shows as what it is; Invalid for an empty, overlong or misleading one."""
    if not isinstance(value, str) or len(value) > most:
        raise Invalid(f"{what} is a text of at most {most} characters.")
    value = value.replace("\r\n", "\n").strip()
    if not value and not blank:
        raise Invalid(f"{what} is missing.")
    allowed = "\n\t" if lines else ""
    for character in value:
        category = unicodedata.category(character)
        if character in _MISLEADING or (category in ("Cc", "Cs", "Zl", "Zp") and character not in allowed):
            raise Invalid(f"{what} holds a sign that does not show (U+{ord(character):04X}): leave it out.")
    return value
