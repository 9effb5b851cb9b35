"""Restore points of years, as numbers: daily ones of late, and before those what the periods keep."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from veeamsec.peer.installation import Installation, Job
from veeamsec.peer.points import numbers, periods

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)


def recent(at: Installation, job: Job, days: int, hour: int = 21) -> None:
    """A point a day, each seventh full, up to yesterday."""
    first = _evening(at.clock.now(), hour) - days * DAY
    for series in job.series:
        at.points.extend(numbers(series, first + series * timedelta(milliseconds=7), DAY, days))
    _ran(at, job, first + (days - 1) * DAY)


def years(at: Installation, job: Job, back: int, hour: int = 21, *, daily: int = 14, weekly: int = 8) -> None:
    """Points of `back` days: daily ones, weekly fulls, monthly fulls; the others are retired long ago."""
    last = _evening(at.clock.now(), hour) - DAY
    for series in job.series:
        at.points.extend(_kept(series, last + series * timedelta(milliseconds=7), back, daily, weekly))
    _ran(at, job, last)


def _kept(series: int, last: datetime, back: int, daily: int, weekly: int) -> Iterator[int]:
    for age in range(back):
        moment = last - age * DAY
        kept = periods(moment)
        if age < daily or (kept and age < weekly * 7) or "Monthly" in kept:
            yield from numbers(series, moment, DAY, 1, full_each=1 if kept else 0)


def _evening(now: datetime, hour: int) -> datetime:
    return now.replace(hour=hour, minute=0, second=0, microsecond=0)


def _ran(at: Installation, job: Job, moment: datetime) -> None:
    job.last_run, job.last_result = moment, "Success"
