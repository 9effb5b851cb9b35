"""The sockets: UDP, TCP and TLS on one address, with bounded connections, lines and patience."""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from encryption.management.receiver.backlog import Backlog, Received
from encryption.management.receiver.framing import LONGEST, Frames

CONNECTIONS = 256
# A Veeam server opens one; who opens many keeps nobody else out.
CONNECTIONS_OF_ONE = 16
# A line that has begun comes in one piece; who lets it drip holds a connection for nothing.
HALF_LINE_SECONDS = 30.0
HANDSHAKE_SECONDS = 10.0
# Long: a sender writes its first line after we closed into nothing, and the event is lost. Dead peers are
# found by the kernel's own probes.
IDLE_SECONDS = 12 * 3600.0
_PROBES = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
_CHUNK = 65_536
_DATAGRAMS = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen; 0 is not at all."""

    address: str = "127.0.0.1"
    udp: int = 0
    tcp: int = 0
    tls: int = 0

    @property
    def any(self) -> bool:
        """Whether anything is wanted."""
        return bool(self.udp or self.tcp or self.tls)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many may come and how long each may take."""

    connections: int = CONNECTIONS
    of_one: int = CONNECTIONS_OF_ONE
    half_line: float = HALF_LINE_SECONDS
    handshake: float = HANDSHAKE_SECONDS
    idle: float = IDLE_SECONDS


@dataclass
class Listener:
    """Listens, and puts every line into the backlog; what it turns away it counts."""

    backlog: Backlog
    limits: Limits = field(default_factory=Limits)
    refused: int = 0
    ports: dict[str, int] = field(default_factory=dict)
    _open: Counter[str] = field(default_factory=Counter)
    _ends: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def listen(
        self, transport: str, address: str, port: int, tls: ssl.SSLContext | None = None
    ) -> None:
        """Begin to listen. Raises OSError where the port is taken or not allowed."""
        if transport == "udp":
            await self._listen_for_datagrams(address, port)
            return
        server = await asyncio.start_server(
            lambda reader, writer: self._serve(transport, reader, writer, tls), address, port, limit=_CHUNK
        )
        self.ports[transport] = server.sockets[0].getsockname()[1]

        async def end() -> None:
            server.close()

        self._ends.append(end)

    async def close(self) -> None:
        """Stop listening, and end every connection."""
        for end in self._ends:
            await end()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen_for_datagrams(self, address: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (address, port))
        own: socket.socket = transport.get_extra_info("socket")
        # The kernel holds a burst while the loop is busy.
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _DATAGRAMS)
        self.ports["udp"] = own.getsockname()[1]

        async def end() -> None:
            transport.close()

        self._ends.append(end)

    async def _serve(
        self,
        transport: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        tls: ssl.SSLContext | None,
    ) -> None:
        peer = (writer.get_extra_info("peername") or ("",))[0]
        if self._open.total() >= self.limits.connections or self._open[peer] >= self.limits.of_one:
            self.refused += 1
            writer.transport.abort()
            return
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._open[peer] += 1
        try:
            _keep_alive(writer)
            if tls is not None:
                # Here and not by the server itself, which would shake hands with more than we count.
                await writer.start_tls(tls, ssl_handshake_timeout=self.limits.handshake)
            await self._read(transport, peer, reader)
        except (OSError, ssl.SSLError, TimeoutError):
            # Cut, dripping or silent for too long: the next line comes on another connection.
            pass
        finally:
            self._open[peer] -= 1
            self._open += Counter()
            writer.transport.abort()

    async def _read(self, transport: str, peer: str, reader: asyncio.StreamReader) -> None:
        frames, began = Frames(), 0.0
        loop = asyncio.get_running_loop()
        try:
            while not frames.broken:
                # One patience for a whole line, however many pieces it comes in.
                left = began + self.limits.half_line - loop.time() if frames.waits else self.limits.idle
                data = await asyncio.wait_for(reader.read(_CHUNK), max(left, 0.001))
                waited = frames.waits
                lines = frames.feed(data) if data else frames.end()
                for line in lines:
                    await self.backlog.put(Received(line, datetime.now(UTC), peer, transport))
                # After the puts: that the backlog was full is not the sender's delay.
                if lines or not waited:
                    began = loop.time()
                if not data:
                    return
        finally:
            self.refused += frames.refused + (1 if frames.waits else 0)


class _Datagrams(asyncio.DatagramProtocol):
    """One datagram is one line (RFC 5426)."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take it or count it; there is nobody to tell."""
        line = data.strip(b"\r\n\0 ")
        if not line or len(line) > LONGEST:
            self._listener.refused += 1
            return
        self._listener.backlog.offer(Received(line, datetime.now(UTC), addr[0], "udp"))

    def error_received(self, exc: Exception) -> None:
        """An answer of the network to something that we never send."""


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    own = writer.get_extra_info("socket")
    own.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _PROBES.items():
        if hasattr(socket, name):
            own.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
