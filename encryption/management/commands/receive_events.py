"""Receive Veeam's events until a signal ends it: the process `receiver`."""

import asyncio
import signal
from argparse import ArgumentParser
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from audit.errors import AuditUnavailable
from encryption.management.receiver.backlog import Received
from encryption.management.receiver.listening import Ports
from encryption.management.receiver.running import Away, Counts, Receiver
from encryption.services.veeam import events, receptions

# An hour's worth of events of servers that nobody named here.
STRANGERS_AN_HOUR = 1000


class Command(BaseCommand):
    help = "Receive Veeam's events by syslog (UDP, TCP, TLS) and write them down."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--address", default=settings.VEEAMSEC_SYSLOG["address"])
        for name in ("udp", "tcp", "tls"):
            parser.add_argument(
                f"--{name}", type=int, default=settings.VEEAMSEC_SYSLOG[name], help="a port; 0: not at all"
            )

    def handle(self, *args: Any, **options: Any) -> None:
        self.check(databases=["default"])
        ports = Ports(options["address"], options["udp"], options["tcp"], options["tls"])
        asyncio.run(self._receive(ports))

    async def _receive(self, ports: Ports) -> None:
        receiver = Receiver(ports, settings.RECEIVER_KEYS, Books(), ready=self._say)
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, receiver.stop)
            if not ports.any:
                loop.add_signal_handler(sign, ended.set)
        if ports.any:
            await receiver.run()
        else:
            # A unit that ended would be started again and again.
            self.stdout.write("No port is named to listen at: VEEAMSEC_SYSLOG_UDP, _TCP, _TLS.")
            await ended.wait()

    def _say(self, ports: dict[str, int]) -> None:
        places = ", ".join(f"{name} {port}" for name, port in ports.items()) or "nothing yet"
        self.stdout.write(f"listening: {places}")
        self.stdout.flush()


class Books:
    """The ledger of the receiver in the database, as the web's role."""

    def __init__(self) -> None:
        self._reception: UUID | None = None
        self._hour, self._strangers = timezone.now(), 0

    def store(self, lines: list[Received]) -> Counts:
        """Write what is an event of ours."""
        now = timezone.now()
        if abs((now - self._hour).total_seconds()) >= 3600:
            self._hour, self._strangers = now, 0
        room = STRANGERS_AN_HOUR - self._strangers
        with _Reached():
            taken = events.store(lines, room_for_strangers=room)
        self._strangers += taken.strangers
        return Counts(taken.received, taken.refused, taken.dropped)

    def begin(self, ports: dict[str, int], at: datetime) -> None:
        """A stretch of listening begins."""
        with _Reached():
            self._reception = receptions.begin(ports, at)

    def alive(self, at: datetime, counts: Counts) -> None:
        """It goes on."""
        if self._reception is not None:
            with _Reached():
                receptions.stay(self._reception, at, _tally(counts))

    def end(self, at: datetime, counts: Counts) -> None:
        """It ended."""
        if self._reception is not None:
            with _Reached():
                receptions.end(self._reception, at, _tally(counts))


class _Reached:
    """Tells a database that is away from one that says no."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OperationalError | InterfaceError | AuditUnavailable):
            connection.close()
            raise Away from error


def _tally(counts: Counts) -> receptions.Tally:
    return receptions.Tally(counts.received, counts.refused, counts.dropped)
