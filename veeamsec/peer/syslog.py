"""Events of the server, as lines of its dialect of RFC 5424, sent to the receiver that is configured.

The dialect puts XML with quotes into quoted values and escapes none of them.
"""

import hashlib
import queue
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import Any

from veeamsec.peer.clock import Clock

SEVERITIES = {"Info": 14, "Warning": 12, "Error": 11}
TITLES = {
    23050: "Job Settings Updated",
    31600: "Encryption Password Added",
    31700: "Encryption Password Updated",
    31800: "Encryption Password Deleted",
    31850: "Encryption Password Verified",
    42300: "KMS Server Added",
    42301: "KMS Server Deleted",
    42302: "KMS Server Settings Updated",
}
_SECONDS = 5


@dataclass(frozen=True)
class Event:
    """What happened, and the line that tells it."""

    number: int
    severity: str
    fields: dict[str, str]
    line: str
    muted: bool


@dataclass
class Sender:
    """Sends in the order of happening, from a thread of its own: a receiver that is slow delays no call."""

    host: str
    build: str
    clock: Clock
    events: list[Event] = field(default_factory=list)
    # Nothing leaves while this is set: as if the network were down. What happens then is lost, as by UDP.
    silent: bool = False
    # How TCP tells where a line ends: by a newline, or by its length before it (RFC 6587).
    counted: bool = False
    failures: int = 0
    forwarding: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lines: queue.SimpleQueue[tuple[dict[str, Any], str] | threading.Event | None] = (
            queue.SimpleQueue()
        )
        self._open: tuple[tuple[Any, ...], socket.socket] | None = None
        self._thread = threading.Thread(target=self._work, name="veeam-peer syslog", daemon=True)
        self._thread.start()

    def tell(self, number: int, severity: str, fields: dict[str, str], description: str) -> Event:
        """Send an event, unless its severity is muted or there is no receiver."""
        line = self._line(number, severity, fields, description)
        made = Event(number, severity, fields, line, self._is_muted(number, severity))
        self.events.append(made)
        receiver = self.forwarding.get("syslogServer")
        if receiver and not made.muted and not self.silent:
            self._lines.put((dict(receiver), line))
        return made

    def flush(self, seconds: float = _SECONDS) -> bool:
        """Wait until all that happened is sent; False where it is not in time."""
        reached = threading.Event()
        self._lines.put(reached)
        return reached.wait(seconds)

    def close(self) -> None:
        """Send what waits, and end."""
        self._lines.put(None)
        self._thread.join(_SECONDS)

    def _line(self, number: int, severity: str, fields: dict[str, str], description: str) -> str:
        told = {**fields, "VbrHostName": self.host, "VbrVersion": self.build, "Version": "1"}
        words = " ".join(f'{name}="{value}"' for name, value in (told | {"Description": description}).items())
        return (
            f"<{SEVERITIES[severity]}>1 {self.clock.told(self.clock.now())} {self.host} Veeam_MP - -"
            f' [origin enterpriseId="31023"] [categoryId=0 instanceId={number} {words}]'
        )

    def _is_muted(self, number: int, severity: str) -> bool:
        filters = self.forwarding.get("syslogEventFiltering") or []
        return any(
            str(one.get("eventId")) == str(number) and severity in (one.get("severity") or [])
            for one in filters
        )

    def _work(self) -> None:
        while (found := self._lines.get()) is not None:
            if isinstance(found, threading.Event):
                found.set()
                continue
            try:
                self._send(*found)
            except OSError:
                self.failures += 1
                self._hang_up()
        self._hang_up()

    def _send(self, receiver: dict[str, Any], line: str) -> None:
        protocol = str(receiver.get("transportProtocol") or "Udp").casefold()
        address = (str(receiver["serverName"]), int(receiver.get("port") or 514))
        data = line.encode()
        if protocol == "udp":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(data, address)
            return
        stream = self._stream(protocol, address, str(receiver.get("certificateThumbprint") or ""))
        # RFC 5425 has lengths on TLS.
        counted = self.counted or protocol == "tls"
        stream.sendall(b"%d %s" % (len(data), data) if counted else data + b"\n")

    def _stream(self, protocol: str, address: tuple[str, int], thumbprint: str) -> socket.socket:
        to = (protocol, address, thumbprint)
        if self._open and self._open[0] == to:
            return self._open[1]
        self._hang_up()
        stream = socket.create_connection(address, timeout=_SECONDS)
        if protocol == "tls":
            stream = _secured(stream, thumbprint)
        self._open = (to, stream)
        return stream

    def _hang_up(self) -> None:
        if self._open:
            self._open[1].close()
            self._open = None


def _secured(stream: socket.socket, thumbprint: str) -> socket.socket:
    """TLS to a receiver whose certificate has the thumbprint that is configured. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    # The thumbprint is compared instead, as Veeam does.
    context.verify_mode = ssl.CERT_NONE
    try:
        secured = context.wrap_socket(stream)
    except OSError:
        stream.close()
        raise
    shown = secured.getpeercert(binary_form=True) or b""
    digests = {hashlib.sha1(shown, usedforsecurity=False).hexdigest(), hashlib.sha256(shown).hexdigest()}
    if thumbprint and thumbprint.casefold() not in digests:
        secured.close()
        raise ssl.SSLError("The receiver shows another certificate.")
    return secured
