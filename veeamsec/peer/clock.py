"""The server's time: this machine's, moved as a test wants it, told in a zone of its own."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

MILLISECOND = timedelta(milliseconds=1)


@dataclass
class Clock:
    """What time it is there. `tick` never gives the same instant twice."""

    offset: timedelta = timedelta()
    zone: timezone = field(default_factory=lambda: timezone(timedelta(hours=1)))
    _last: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Now, to the millisecond."""
        found = datetime.now(UTC) + self.offset
        return found.replace(microsecond=found.microsecond // 1000 * 1000)

    def tick(self) -> datetime:
        """Now, and later than every instant that was given before: what changes in turn has times in turn."""
        self._last = max(self.now(), self._last + MILLISECOND)
        return self._last

    def told(self, moment: datetime) -> str:
        """A moment as the server writes it."""
        return moment.astimezone(self.zone).isoformat(timespec="milliseconds")
