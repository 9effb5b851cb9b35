"""A receiver on real sockets, with a ledger in memory."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from encryption.management.receiver.backlog import Backlog, Received
from encryption.management.receiver.listening import Limits, Ports
from encryption.management.receiver.running import Away, Counts, Receiver


@dataclass
class Memory:
    """A ledger that keeps everything, and can be away."""

    lines: list[Received] = field(default_factory=list)
    told: list[tuple[str, Any]] = field(default_factory=list)
    away: bool = False

    def store(self, lines: list[Received]) -> Counts:
        self._reach()
        self.lines += lines
        return Counts(received=len(lines))

    def begin(self, ports: dict[str, int], at: datetime) -> None:
        self._reach()
        self.told.append(("begin", ports))

    def alive(self, at: datetime, counts: Counts) -> None:
        self._reach()
        self.told.append(("alive", counts))

    def end(self, at: datetime, counts: Counts) -> None:
        self._reach()
        self.told.append(("end", counts))

    def _reach(self) -> None:
        if self.away:
            raise Away

    @property
    def texts(self) -> list[bytes]:
        return [one.line for one in self.lines]


@dataclass
class Running:
    """A receiver in a thread of its own."""

    ledger: Memory
    ports: dict[str, int]
    folder: Path
    receiver: Receiver
    loop: asyncio.AbstractEventLoop

    def connect(self, transport: str = "tcp") -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.ports[transport]), timeout=5)

    def datagram(self, data: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.sendto(data, ("127.0.0.1", self.ports["udp"]))

    def stop(self) -> None:
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.receiver.stop)


def until(test: Callable[[], Any], seconds: float = 10) -> Any:
    """What the test returns once it is true."""
    end = time.monotonic() + seconds
    while not (found := test()):
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)
    return found


@pytest.fixture
def receive(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start a receiver on free ports."""
    started: list[tuple[Running, threading.Thread]] = []

    def start(limits: Limits | None = None, backlog: dict[str, int] | None = None, **ports: int) -> Running:
        ready, found = threading.Event(), {}

        def run() -> None:
            async def main() -> None:
                ledger = Memory()
                wanted = Ports(**(ports or {"udp": -1, "tcp": -1, "tls": -1}))
                own = Receiver(wanted, tmp_path, ledger, limits or Limits(), Backlog(**(backlog or {})))
                own.ready = lambda ports: ready.set()
                found["running"] = Running(ledger, {}, tmp_path, own, asyncio.get_running_loop())
                await own.run()

            asyncio.run(main())

        thread = threading.Thread(target=run)
        thread.start()
        assert ready.wait(10)
        running = found["running"]
        running.ports = running.receiver._listener.ports
        started.append((running, thread))
        return running

    yield start
    for running, thread in started:
        running.ledger.away = False
        running.stop()
        thread.join(20)
        assert not thread.is_alive()
