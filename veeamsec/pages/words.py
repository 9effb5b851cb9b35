"""Values as people say them: times, sizes, counts, digests."""

from datetime import UTC, datetime, timedelta

from compliance.reports import sheet

MINUTE, HOUR, DAY = 60, 3600, 86_400
# Older than this, "12 days ago" says less than the date.
RELATIVE_DAYS = 7


def ago(moment: datetime, now: datetime) -> str:
    """Say a moment relative to now: "3 h ago", "in 6 days"; far ones as a date."""
    seconds = (moment - now).total_seconds()
    if abs(seconds) > RELATIVE_DAYS * DAY:
        return day(moment, now)
    if abs(seconds) < MINUTE:
        return "just now" if seconds <= 0 else "in a moment"
    span = duration(abs(seconds))
    return f"in {span}" if seconds > 0 else f"{span} ago"


def duration(seconds: float) -> str:
    """Say a length of time by its biggest unit."""
    if seconds < 1:
        return "under 1 s"
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE:.0f} min"
    if seconds < 2 * DAY:
        return f"{seconds // HOUR:.0f} h"
    return f"{seconds // DAY:.0f} days"


def day(moment: datetime, now: datetime) -> str:
    """Say a date, with its year only where it is another than now's."""
    text = f"{moment.day} {moment:%b}"
    return text if moment.year == now.year else f"{text} {moment.year}"


def exact(moment: datetime) -> str:
    """Say a moment to the minute, in UTC; the page's script turns it into the reader's zone."""
    moment = moment.astimezone(UTC)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def size(count: int) -> str:
    """Say a number of bytes with three digits at most."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} PB"


def count(number: int, one: str, many: str = "") -> str:
    """Say a number with its noun: "1 job", "2,312 jobs"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def every(minutes: int) -> str:
    """Say a schedule."""
    if minutes % (7 * 1440) == 0:
        return "weekly" if minutes == 7 * 1440 else f"every {minutes // (7 * 1440)} weeks"
    if minutes % 1440 == 0:
        return "daily" if minutes == 1440 else f"every {minutes // 1440} days"
    if minutes % 60 == 0:
        return "hourly" if minutes == 60 else f"every {minutes // 60} h"
    return f"every {minutes} min"


def short(digest: str) -> str:
    """Say the two ends of a digest, enough to compare by eye."""
    return digest if len(digest) <= 16 else f"{digest[:4]} {digest[4:8]} … {digest[-4:]}"


def initials(name: str) -> str:
    """Say a name by its first and last initial."""
    parts = name.split()
    return "".join(part[0] for part in (parts[:1] + parts[1:][-1:])).upper()


def until_end_of(moment: datetime, now: datetime) -> bool:
    """Say whether less than a day is left."""
    return moment - now < timedelta(days=1)


def cell(text: str) -> str:
    """Say a text in a sheet so that it is never taken for a formula."""
    return str(sheet.cell(text))
