"""How often a report is told: which days one is about, and when the next is due. Pure."""

from datetime import UTC, date, datetime, time, timedelta

from compliance.reports.period import Period

WEEK, MONTH, QUARTER = "week", "month", "quarter"
# Before people come in; every report of the day before is complete.
_HOUR = time(5)


def last_whole(every: str, today: date) -> Period:
    """Return the last whole week (Monday to Sunday), month or quarter before a day."""
    begin = _begin(every, today)
    return Period(_begin(every, begin - timedelta(days=1)), begin - timedelta(days=1))


def next_due(every: str, now: datetime) -> datetime:
    """Return when the next one is told: on the first day after a week, month or quarter has ended."""
    begin = _begin(every, now.astimezone(UTC).date())
    while (due := datetime.combine(begin, _HOUR, UTC)) <= now:
        begin = _after(every, begin)
    return due


def _begin(every: str, day: date) -> date:
    if every == WEEK:
        return day - timedelta(days=day.weekday())
    month = day.replace(day=1)
    return month if every == MONTH else month.replace(month=(month.month - 1) // 3 * 3 + 1)


def _after(every: str, begin: date) -> date:
    if every == WEEK:
        return begin + timedelta(days=7)
    return _begin(every, begin + timedelta(days=32 if every == MONTH else 95))
