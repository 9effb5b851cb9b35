"""The period of a report: whole days, in UTC, both ends included."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from compliance.errors import Invalid

# Ten years: beyond it somebody has mistyped a year.
LONGEST = timedelta(days=3660)
_FIRST = date(2000, 1, 1)
# A chart of more columns is drawn by quarters.
_MONTHS = 24


@dataclass(frozen=True, slots=True)
class Period:
    """From the first moment of one day to the last of another."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        """The first moment."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def until(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last + timedelta(days=1), time(), UTC)

    @property
    def words(self) -> str:
        """The period as people say it."""
        return f"{_said(self.first)} to {_said(self.last)}"

    def as_asked(self) -> dict[str, str]:
        """Return it as texts, which `period_of` reads."""
        return {"since": self.first.isoformat(), "until": self.last.isoformat()}

    def steps(self) -> list[tuple[str, datetime, datetime]]:
        """Return the months that it touches, or quarters of a long one: label, begin, end."""
        months = list(_months(self.first, self.last))
        size = 1 if len(months) <= _MONTHS else 3
        firsts = (
            months
            if size == 1
            else [_quarter(months[0]), *(one for one in months[1:] if one == _quarter(one))]
        )
        ends = [*firsts[1:], _next(months[-1])]
        return [
            (_label(begin, size), _start(begin), _start(end)) for begin, end in zip(firsts, ends, strict=True)
        ]


def period_of(asked: Mapping[str, str], today: date) -> Period:
    """Read a period; without one, the last ninety days. Invalid for what is none."""
    # What is still to come is not told yet.
    last = min(_day(asked.get("until", ""), today), today)
    first = _day(asked.get("since", ""), last - timedelta(days=89))
    if first > last:
        raise Invalid("The period ends before it begins.")
    if last - first > LONGEST:
        raise Invalid("The period is longer than ten years.")
    return Period(first, last)


def _day(text: str, otherwise: date) -> date:
    try:
        day = date.fromisoformat(text) if text else otherwise
    except ValueError as error:
        raise Invalid("A day is written as 2026-11-02.") from error
    if day < _FIRST:
        raise Invalid("There was nothing to tell of then.")
    return day


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = _next(month)


def _next(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def _quarter(month: date) -> date:
    return month.replace(month=(month.month - 1) // 3 * 3 + 1)


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _label(month: date, size: int) -> str:
    return f"{month:%b %y}" if size == 1 else f"Q{month.month // 3 + 1} {month:%y}"


def _said(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
