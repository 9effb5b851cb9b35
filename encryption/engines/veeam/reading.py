"""Single values of the server's JSON, read as servers write them.

The specification and its own examples part in small things: the case of enums, nulls, seven digits of a
second. Whatever is read here gives one form, and never an error for a value that may be absent.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from encryption.errors import VeeamUnexpected

Model = Mapping[str, Any]

# The server's platform writes its first day where there is no time.
_EARLIEST_YEAR = 1970
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_LONGEST_QUOTE = 300


def model(value: object, what: str) -> Model:
    """Return a JSON object; raises VeeamUnexpected for anything else."""
    if not isinstance(value, dict):
        raise VeeamUnexpected(f"The Veeam server answered {what} with something that is no object.")
    return value


def identity(value: object, what: str) -> UUID:
    """Return an id that must be there; raises VeeamUnexpected."""
    found = uuid_or_none(value)
    if found is None:
        raise VeeamUnexpected(f"The Veeam server gave {what} without a valid id.")
    return found


def uuid_or_none(value: object) -> UUID | None:
    """Return an id; None where it is null, missing, all zeros or no id."""
    if not isinstance(value, str):
        return None
    try:
        found = UUID(value)
    except ValueError:
        return None
    return found if found.int else None


def text(value: object) -> str:
    """Return a text as a database can hold it; "" for null and for what is no text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def flag(value: object) -> bool:
    """Return a switch; null, missing and anything unknown are off."""
    return value is True or (isinstance(value, str) and value.casefold() == "true")


def whole(value: object) -> int | None:
    """Return a whole number of 64 bits, or None."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if -(2**63) <= value < 2**63 else None


def moment(value: object) -> datetime | None:
    """Return a time in UTC; None for null, for a first-day filler and for what is no time.

    A time without a zone is taken as UTC: the server's own zone is not part of its answer.
    """
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        zoned = found if found.tzinfo else found.replace(tzinfo=UTC)
        return zoned.astimezone(UTC) if zoned.year >= _EARLIEST_YEAR else None
    except (ValueError, OverflowError):
        return None


def spelled(value: object, known: Iterable[str]) -> str:
    """Return an enum's value in the specification's spelling, or as it was read where it is unknown."""
    found = text(value)
    folded = found.casefold()
    return next((name for name in known if name.casefold() == folded), found)


def texts(value: object) -> tuple[str, ...]:
    """Return the texts of a list; () for null and for what is no list."""
    return tuple(text(one) for one in value) if isinstance(value, list) else ()


def quoted(value: object) -> str:
    """Return the server's own words as they may stand in a message: short, on one line."""
    return _CONTROLS.sub(" ", text(value)).strip()[:_LONGEST_QUOTE]
