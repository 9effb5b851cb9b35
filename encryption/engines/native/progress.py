"""How far a run is, told at most a few times a second."""

import time

from encryption.engines.base import OnProgress, Progress

_SECONDS_BETWEEN = 0.25


class Ticker:
    """Counts, and calls back when enough time has passed."""

    def __init__(self, callback: OnProgress | None, total_bytes: int | None = None) -> None:
        self._callback = callback
        self._total = total_bytes
        self._next = 0.0
        self.bytes = 0
        self.files = 0

    def add(self, count: int, *, files: int = 0) -> None:
        """Count bytes and files."""
        self.bytes += count
        self.files += files
        now = time.monotonic()
        if self._callback is not None and now >= self._next:
            self._next = now + _SECONDS_BETWEEN
            self.tell()

    def tell(self) -> None:
        """Call back now."""
        if self._callback is not None:
            self._callback(Progress(self.bytes, self.files, self._total))
