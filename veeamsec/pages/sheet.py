"""What a request's text is made of on a page: each part as the templates draw it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Link:
    """A name that leads somewhere."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that becomes another."""

    label: str
    after: str = ""
    before: str = ""
    note: str = ""
    links: tuple[Link, ...] = ()
    # Whole texts keep their lines.
    whole: bool = False
    # What people compare sign by sign.
    digest: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """Where a copy of the password will lie, and with whom."""

    where: str
    custodian: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of restore points that one thing opens."""

    words: str
    share: int
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """One job's restore points, afterwards."""

    title: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """Something worth knowing."""

    words: str
    good: bool = False
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """The whole text, in reading order; custody is None where no password is stated."""

    title: str
    reason: str
    text: str
    custody: tuple[Copy, ...] | None
    changes: tuple[Change, ...]
    bands: tuple[Band, ...]
    band_notes: tuple[str, ...]
    checks: tuple[Check, ...]
    answers: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Eye:
    """One person of those who looked, or shall."""

    who: str
    did: str
    icon: str = "user-check"
    tone: str = ""
    at: datetime | None = None
    proof: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a record."""

    label: str
    words: str = ""
    url: str = ""
    digest: str = ""
    at: datetime | None = None
