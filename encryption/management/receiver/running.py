"""The receiver at work: sockets in, batches out, and a sign of life that tells gaps."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from encryption.management.receiver import certificate
from encryption.management.receiver.backlog import Backlog, Received
from encryption.management.receiver.listening import Limits, Listener, Ports

log = logging.getLogger(__name__)

BATCH = 500
ALIVE = timedelta(seconds=5)
# Longer than any batch takes: so long without a turn of the loop, the process or the machine stood still.
STOOD_STILL = timedelta(seconds=30)
PORT_AGAIN_SECONDS = 15.0
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 15.0
# What is left when it is told to end has so many seconds to be written.
_LAST_SECONDS = 8.0

T = TypeVar("T")


class Away(Exception):
    """The database cannot be reached; what was received waits."""


@dataclass(slots=True)
class Counts:
    """What came so far: taken as events, turned away, lost for want of room."""

    received: int = 0
    refused: int = 0
    dropped: int = 0


class Ledger(Protocol):
    """Where lines and signs of life are written; each call may raise Away and is then made again."""

    def store(self, lines: list[Received]) -> Counts:
        """Write what is an event of ours; return what became of the lines."""

    def begin(self, ports: dict[str, int], at: datetime) -> None:
        """A stretch of listening begins."""

    def alive(self, at: datetime, counts: Counts) -> None:
        """It goes on; `counts` are those of this stretch."""

    def end(self, at: datetime, counts: Counts) -> None:
        """It ended at this moment."""


@dataclass
class Receiver:
    """One receiver; `run` returns when `stop` was called."""

    ports: Ports
    folder: Path
    ledger: Ledger
    limits: Limits = field(default_factory=Limits)
    backlog: Backlog = field(default_factory=Backlog)
    counts: Counts = field(default_factory=Counts)
    ready: Callable[[dict[str, int]], None] = lambda ports: None
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _stood: list[tuple[datetime, datetime]] = field(default_factory=list)
    _ticked: datetime = field(default_factory=lambda: datetime.now(UTC))

    def stop(self) -> None:
        """Ask it to end, from its own loop."""
        self._stopping.set()

    async def run(self) -> None:
        """Listen until it is stopped; a port that is taken is tried again and keeps no other waiting."""
        self._listener = Listener(self.backlog, self.limits)
        # One thread: the database has one connection, and calls keep their order.
        with ThreadPoolExecutor(max_workers=1) as self._thread:
            missing = await self._open(self._wanted())
            await self._insist(lambda: self.ledger.begin(dict(self._listener.ports), datetime.now(UTC)))
            self.ready(self._listener.ports)
            helpers = [asyncio.create_task(self._tick()), asyncio.create_task(self._open_later(missing))]
            await self._write()
            for helper in helpers:
                helper.cancel()
            await self._listener.close()
            with contextlib.suppress(Away, TimeoutError):
                await asyncio.wait_for(self._write_the_rest(), _LAST_SECONDS)

    def _wanted(self) -> dict[str, int]:
        wanted = {"udp": self.ports.udp, "tcp": self.ports.tcp, "tls": self.ports.tls}
        return {transport: port for transport, port in wanted.items() if port}

    async def _open(self, wanted: dict[str, int]) -> dict[str, int]:
        """Listen where it can be done; returns what could not."""
        missing = {}
        for transport, port in wanted.items():
            try:
                tls = certificate.context(self.folder) if transport == "tls" else None
                # Below 0 a test asks for any free port.
                await self._listener.listen(transport, self.ports.address, max(port, 0), tls)
            except OSError as error:
                log.warning("%s port %s cannot be listened on: %s", transport, port, error.strerror or error)
                missing[transport] = port
        return missing

    async def _open_later(self, missing: dict[str, int]) -> None:
        while missing:
            await asyncio.sleep(PORT_AGAIN_SECONDS)
            if (left := await self._open(missing)) != missing:
                now = datetime.now(UTC)
                self._stood.append((now, now))
            missing = left

    async def _tick(self) -> None:
        while True:
            now = datetime.now(UTC)
            if now - self._ticked > STOOD_STILL:
                self._stood.append((self._ticked, now))
            self._ticked = now
            await asyncio.sleep(1)

    async def _write(self) -> None:
        due = datetime.now(UTC)
        while not self._stopping.is_set():
            lines = await self.backlog.take(BATCH, 0.5)
            if lines and not await self._store(lines):
                return
            if datetime.now(UTC) >= due or self._stood:
                await self._insist(self._tell)
                due = datetime.now(UTC) + ALIVE

    async def _store(self, lines: list[Received]) -> bool:
        done = await self._insist(lambda: self.ledger.store(lines))
        if done is None:
            self.counts.dropped += len(lines)
            return False
        self.counts.received += done.received
        self.counts.refused += done.refused
        self.counts.dropped += done.dropped
        return True

    def _tell(self) -> None:
        """Say that it listens; where it stood still, one stretch ends and another begins."""
        while self._stood:
            before, after = self._stood[0]
            self.ledger.end(before, self._gathered())
            self.ledger.begin(dict(self._listener.ports), after)
            del self._stood[0]
            self.counts, self._listener.refused, self.backlog.dropped = Counts(), 0, 0
        self.ledger.alive(self._ticked, self._gathered())

    def _gathered(self) -> Counts:
        refused = self.counts.refused + self._listener.refused
        return Counts(self.counts.received, refused, self.counts.dropped + self.backlog.dropped)

    async def _write_the_rest(self) -> None:
        while lines := await self.backlog.take(BATCH, 0.05):
            done = await self._call(lambda lines=lines: self.ledger.store(lines))  # type: ignore[misc]
            self.counts.received += done.received
            self.counts.refused += done.refused
        await self._call(lambda: self.ledger.end(datetime.now(UTC), self._gathered()))

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _insist(self, work: Callable[[], T]) -> T | None:
        """Do it, again and again while the database is away; None when it was told to end meanwhile."""
        wait = _FIRST_WAIT
        while True:
            try:
                return await self._call(work)
            except Away:
                log.warning("the database is away; %s lines wait", len(self.backlog))
            if self._stopping.is_set():
                return None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait)
            wait = min(wait * 2, _LONGEST_WAIT)
