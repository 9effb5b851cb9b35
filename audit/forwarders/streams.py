"""Syslog's ways: UDP, TCP and TLS (RFC 5426, 6587, 5425).

Syslog has no acknowledgement: what a socket took may be lost with the receiver. So each batch has a
connection of its own. Once it is written we close our half (for TLS with close_notify) and wait: the receiver
sees our end after it read everything, and closes. Then it has to be there still: a process that was killed
closes its connections as well, but takes no new one. Only after both does a batch count; else it is sent
again.
"""

import contextlib
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from audit.errors import NotReceived
from audit.forwarders import forms

# How long a receiver may take to answer one call: a busy one is slow, a dead one must not hold a worker.
PATIENCE = 20.0
_CHUNK = 65_536
# A syslog receiver says nothing; what it says all the same is thrown away, up to here.
_MOST_TALK = 262_144


@dataclass(frozen=True, repr=False)
class Tls:
    """How the receiver is known, and how it knows us; PEM texts, empty where not given."""

    name: str
    authority: str = ""
    certificate: str = ""
    key: bytes = b""

    def context(self) -> ssl.SSLContext:
        """Return the settings of a connection. Raises NotReceived when a PEM text is none."""
        try:
            context = ssl.create_default_context(cadata=self.authority or None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.certificate:
                _load_pair(context, self.certificate.encode(), self.key)
        except (ssl.SSLError, OSError, ValueError) as error:
            raise NotReceived("The authority, the certificate or its key cannot be read.") from error
        return context


def _load_pair(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Load a certificate and its key through memory: OpenSSL takes a file alone, and no disk sees the key."""
    handle = os.memfd_create("certificate", os.MFD_CLOEXEC)
    with os.fdopen(handle, "wb") as file:
        file.write(certificate + b"\n" + key)
        file.flush()
        # A password that is none: an encrypted key must fail, not ask on a terminal.
        context.load_cert_chain(f"/proc/self/fd/{handle}", password=b"")


class Datagrams:
    """UDP: best effort. A message counts once the kernel took it; nobody learns whether it arrived."""

    def __init__(self, address: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.settimeout(PATIENCE)
        self._to = (address, port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def send(self, messages: list[bytes]) -> None:
        """Send each message as one datagram. Raises NotReceived when the kernel refuses."""
        try:
            for message in messages:
                self._socket.sendto(message, self._to)
        except OSError as error:
            raise NotReceived("This machine cannot send there.") from error


class Stream:
    """TCP, or TLS where `tls` says how; one connection a batch, the next one opened before a batch counts."""

    def __init__(self, connect: Callable[[], socket.socket], tls: Tls | None = None) -> None:
        self._connect, self._tls = connect, tls
        self._context = tls.context() if tls else None
        self._open: _Plain | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        line, self._open = self._open, None
        if line is not None:
            # Nothing was written on it.
            with contextlib.suppress(NotReceived, OSError):
                line.end(kind is None)
            line.close()

    def send(self, messages: list[bytes]) -> None:
        """Send a batch, each message with its length before it; it was received when this returns.

        Raises NotReceived, after which the whole batch must be sent again.
        """
        line, self._open = self._open or self._dial(), None
        try:
            line.write(b"".join(forms.framed(message) for message in messages))
            line.end(True)
        except ssl.SSLError as error:
            raise NotReceived("The receiver broke off the TLS connection.") from error
        except OSError as error:
            raise NotReceived("The receiver broke off before it had everything.") from error
        finally:
            line.close()
        self._open = self._dial()

    def _dial(self) -> "_Plain":
        try:
            connection = self._connect()
        except OSError as error:
            raise NotReceived("Nobody answers there.") from error
        connection.settimeout(PATIENCE)
        if self._tls is None or self._context is None:
            return _Plain(connection)
        try:
            return _Secured(connection, self._context, self._tls.name)
        except ssl.SSLCertVerificationError as error:
            connection.close()
            raise NotReceived("The receiver's certificate is not one that was to be expected.") from error
        except OSError as error:
            connection.close()
            raise NotReceived("The receiver speaks no TLS that we take.") from error


class _Plain:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def end(self, wait: bool) -> None:
        """Close our half and, if asked, wait until the receiver has closed. Raises NotReceived, OSError."""
        self._socket.shutdown(socket.SHUT_WR)
        if wait:
            self._await_end()

    def close(self) -> None:
        self._socket.close()

    def _await_end(self) -> None:
        heard = 0
        while data := self._socket.recv(_CHUNK):
            self._hear(data)
            heard += len(data)
            if heard > _MOST_TALK:
                raise NotReceived("The receiver talks without an end; this is no syslog.")

    def _hear(self, data: bytes) -> None:
        """A syslog receiver has nothing to say."""


class _Secured(_Plain):
    """One TLS connection; over memory, so that closing our half and the receiver's end are told apart."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext, name: str) -> None:
        super().__init__(connection)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=name)
        self._drive(self._tls.do_handshake)

    def write(self, data: bytes) -> None:
        for start in range(0, len(data), _CHUNK):
            self._drive(self._tls.write, data[start : start + _CHUNK])

    def end(self, wait: bool) -> None:
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        self._flush()
        super().end(wait)
        if wait:
            self._check_end()

    def _check_end(self) -> None:
        """Tell an end from an alert: a receiver that refused us says so in its last words."""
        self._in.write_eof()
        try:
            self._tls.unwrap()
        except ssl.SSLEOFError:
            # Many close without close_notify, rsyslog's GnuTLS driver too: `_dial` asks whether it lives.
            return

    def _hear(self, data: bytes) -> None:
        self._in.write(data)

    def _drive(self, step: Callable[..., Any], *given: Any) -> None:
        while True:
            try:
                step(*given)
            except ssl.SSLWantReadError:
                self._flush()
                data = self._socket.recv(_CHUNK)
                self._in.write(data) if data else self._in.write_eof()
            else:
                return self._flush()

    def _flush(self) -> None:
        if self._out.pending:
            self._socket.sendall(self._out.read())
