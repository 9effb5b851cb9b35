"""Restore points by the hundred thousand, each held as one number and told as an object when it is asked for.

The number is (milliseconds, series, full), so that a sorted array of numbers is a list in order of time. A
series is one object in one backup. The id of a point carries its number, and nothing need be looked up.
"""

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

_BEGAN = datetime(2000, 1, 1, tzinfo=UTC)
_SERIES_BITS, _LOW_BITS = 18, 19
_POINT, _FILE = 0x0A1, 0x0B2
_SUNDAY = 6
_OPERATIONS = {
    "VMware": ["StartViVMInstantRecovery", "StartEntireVmRestore", "StartFlrRestore"],
    "HyperV": ["StartHvVMInstantRecovery", "StartEntireVmRestoreHyperV", "StartFlrRestore"],
}


@dataclass(frozen=True)
class Series:
    """One object of a backup, whose points these are."""

    number: int
    backup: str
    object: str
    name: str
    platform: str
    platform_id: str
    size: int
    family: str = "Windows"


@dataclass
class Points:
    """All restore points of a server, in order of time."""

    prefix: int
    series: list[Series] = field(default_factory=list)
    keys: "array[int]" = field(default_factory=lambda: array("Q"))

    def add(self, series: int, moment: datetime, *, full: bool) -> int:
        """Add one point; its number. A series has one point in a millisecond."""
        key = _key(series, moment, full=full)
        insort(self.keys, key)
        return key

    def extend(self, keys: Iterable[int]) -> None:
        """Add many numbers at once, as `numbers` makes them."""
        self.keys = array("Q", sorted([*self.keys, *keys]))

    def retire(self, series: set[int], before: datetime) -> int:
        """Remove the points of these series that are older and no keeper of a period; how many."""
        end = bisect_left(self.keys, _key(0, before, full=False))
        old = [key for key in self.keys[:end] if _series(key) not in series or periods(_moment(key))]
        removed = end - len(old)
        if removed:
            self.keys = array("Q", old) + self.keys[end:]
        return removed

    def forget(self, series: set[int]) -> None:
        """Remove every point of these series."""
        self.keys = array("Q", (key for key in self.keys if _series(key) not in series))

    def between(self, after: datetime | None, before: datetime | None) -> Sequence[int]:
        """The numbers of a span of time."""
        begin = bisect_left(self.keys, _key(0, after, full=False)) if after else 0
        end = bisect_left(self.keys, _key(0, before, full=False)) if before else len(self.keys)
        return self.keys if (begin, end) == (0, len(self.keys)) else self.keys[begin:end]

    def of(self, series: set[int], keys: Sequence[int] | None = None) -> list[int]:
        """The numbers of some series."""
        return [key for key in (self.keys if keys is None else keys) if _series(key) in series]

    def id_of(self, key: int, kind: int = _POINT) -> str:
        """The id of a point, or of its file."""
        return str(UUID(int=self.prefix << 80 | 4 << 76 | kind << 64 | 2 << 62 | key))

    def find(self, identity: str, kind: int = _POINT) -> int | None:
        """The number behind an id, None where there is no such point."""
        try:
            key = UUID(identity).int & ((1 << 62) - 1)
        except ValueError:
            return None
        place = bisect_left(self.keys, key)
        known = place < len(self.keys) and self.keys[place] == key
        return key if known and self.id_of(key, kind) == identity.lower() else None

    def find_file(self, identity: str) -> int | None:
        """The number behind a file's id."""
        return self.find(identity, _FILE)

    def series_of(self, key: int) -> Series:
        """Whose point this is."""
        return self.series[_series(key)]

    def model(self, key: int, told: Any) -> dict[str, Any]:
        """A point as the API tells it; `told` writes a moment."""
        series, moment = self.series[_series(key)], _moment(key)
        return {
            "id": self.id_of(key),
            "name": series.name,
            "platformName": series.platform,
            "platformId": series.platform_id,
            "creationTime": told(moment),
            "backupId": series.backup,
            "type": kind(key),
            "allowedOperations": _OPERATIONS.get(series.platform, ["StartFlrRestore"]),
            "malwareStatus": "Clean",
            "backupFileId": self.id_of(key, _FILE),
            "guestOsFamily": series.family,
            "originalSize": series.size,
            "gfsPeriods": periods(moment),
        }

    def file_model(self, key: int, told: Any) -> dict[str, Any]:
        """The file that holds a point, as the API tells it."""
        series, moment = self.series[_series(key)], _moment(key)
        full = kind(key) == "Full"
        data = series.size if full else series.size // 20
        return {
            "id": self.id_of(key, _FILE),
            "name": f"{series.name}{moment:D%Y-%m-%dT%H%M%S}.{'vbk' if full else 'vib'}",
            "backupId": series.backup,
            "objectIds": [series.object],
            "restorePointIds": [self.id_of(key)],
            "dataSize": data,
            "backupSize": data // 2,
            "dedupRatio": 100,
            "compressRatio": 50,
            "creationTime": told(moment),
            "gfsPeriods": periods(moment),
            "severity": "Clean",
        }


def numbers(
    series: int, first: datetime, every: timedelta, count: int, *, full_each: int = 7
) -> Iterator[int]:
    """The numbers of a run of points, each `full_each`th of them full; none for 0."""
    for number in range(count):
        yield _key(series, first + number * every, full=full_each > 0 and number % full_each == 0)


def kind(key: int) -> str:
    """The type of a point."""
    return "Full" if key & 1 else "Increment"


def periods(moment: datetime) -> list[str]:
    """For which periods a point is kept: those of Sundays."""
    if moment.weekday() != _SUNDAY:
        return []
    first = moment.day <= _SUNDAY + 1
    return ["Weekly", *(["Monthly"] if first else []), *(["Yearly"] if first and moment.month == 1 else [])]


def moment_of(key: int) -> datetime:
    """When a point was made."""
    return _moment(key)


def _key(series: int, moment: datetime, *, full: bool) -> int:
    milliseconds = (moment - _BEGAN) // timedelta(milliseconds=1)
    return milliseconds << _LOW_BITS | series << 1 | full


def _series(key: int) -> int:
    return key >> 1 & ((1 << _SERIES_BITS) - 1)


def _moment(key: int) -> datetime:
    return _BEGAN + timedelta(milliseconds=key >> _LOW_BITS)
