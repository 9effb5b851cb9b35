"""Custody of a password: what the register of its copies shows, as values in and a verdict out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

# 3 copies, 2 media, 1 off-site, 1 offline, 0 doubts: the rule for data, held for what opens it.
COPIES, MEDIA = 3, 2
# A proof older than this says little about today; Veeam's own advice is to look at passwords once a year.
PROVED_WITHIN = timedelta(days=365)
# So many wrong ones in an hour, and the next must wait: a custodian reads from a copy, and does not guess.
MOST_WRONG, WRONG_WITHIN = 5, timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a password version, with what its last proof showed (None: never proved)."""

    medium: str
    offsite: bool
    offline: bool
    person: UUID | None
    right: bool | None
    proved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Light:
    """One of the five lights: what it asks, whether it is so, and what was counted."""

    digit: str
    asks: str
    on: bool
    found: str
    # What that count is, while the light is off.
    short: str = "not enough"


def lights(copies: Sequence[Copy], now: datetime) -> tuple[Light, ...]:
    """Return the five lights of 3-2-1-1-0 for the copies of one version."""
    media = {copy.medium.casefold() for copy in copies}
    offsite = sum(copy.offsite for copy in copies)
    offline = sum(copy.offline for copy in copies)
    fresh = [copy for copy in copies if is_proved(copy, now)]
    wrong = sum(copy.right is False for copy in copies)
    doubts = len(copies) - len(fresh)
    told = f"{doubts}, {wrong} of them wrong" if wrong else str(doubts)
    return (
        Light("3", "copies", len(copies) >= COPIES, str(len(copies))),
        Light("2", "media", len(media) >= MEDIA, str(len(media))),
        Light("1", "elsewhere", offsite >= 1, str(offsite)),
        Light("1", "offline", offline >= 1, str(offline)),
        Light("0", "unproved", bool(copies) and doubts == 0, told, "too many"),
    )


def is_proved(copy: Copy, now: datetime) -> bool:
    """Say whether a copy's last proof was right, and lately."""
    return copy.right is True and copy.proved_at is not None and now - copy.proved_at <= PROVED_WITHIN


def secured(copies: Sequence[Copy], *, askers: Collection[UUID], now: datetime) -> int:
    """Return how many custodians, other than who may have asked, have proved that they hold the password."""
    persons = {copy.person for copy in copies if copy.person is not None and is_proved(copy, now)}
    return len(persons - set(askers))


def may_try(wrong: Sequence[datetime], now: datetime) -> bool:
    """Say whether another attempt is allowed after these wrong ones."""
    return sum(now - moment < WRONG_WITHIN for moment in wrong) < MOST_WRONG
