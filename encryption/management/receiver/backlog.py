"""What was received and not yet written: bounded in lines and in octets."""

import asyncio
from collections import deque
from datetime import datetime
from typing import NamedTuple

LINES = 20_000
OCTETS = 32 * 1024 * 1024


class Received(NamedTuple):
    """One line as it came."""

    line: bytes
    at: datetime
    peer: str
    transport: str


class Backlog:
    """A queue for one loop: a stream waits for room, a datagram that finds none is counted as dropped."""

    def __init__(self, *, lines: int = LINES, octets: int = OCTETS) -> None:
        self.dropped = 0
        self._lines, self._octets = lines, octets
        self._held: deque[Received] = deque()
        self._size = 0
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()

    def __len__(self) -> int:
        return len(self._held)

    def offer(self, one: Received) -> bool:
        """Take a datagram, or drop it and count."""
        if not self._room.is_set():
            self.dropped += 1
            return False
        self._add(one)
        return True

    async def put(self, one: Received) -> None:
        """Take a line of a stream once there is room; whoever sends it waits."""
        while not self._room.is_set():
            await self._room.wait()
        self._add(one)

    async def take(self, most: int, patience: float) -> list[Received]:
        """Return up to so many lines, at once when there are any, else what came within so many seconds."""
        if not self._held:
            try:
                await asyncio.wait_for(self._news.wait(), patience)
            except TimeoutError:
                return []
        taken = [self._held.popleft() for _ in range(min(most, len(self._held)))]
        self._size -= sum(len(one.line) for one in taken)
        if not self._held:
            self._news.clear()
        self._tell_room()
        return taken

    def _add(self, one: Received) -> None:
        self._held.append(one)
        self._size += len(one.line)
        self._news.set()
        self._tell_room()

    def _tell_room(self) -> None:
        if len(self._held) < self._lines and self._size < self._octets:
            self._room.set()
        else:
            self._room.clear()
