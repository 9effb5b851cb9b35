"""HTTPS on this machine: one thread a connection, the installation's lock around every call."""

import contextlib
import socket
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import veeamsec.peer.rest  # noqa: F401  the operations enter themselves
from veeamsec.peer import routes
from veeamsec.peer.answers import Answer
from veeamsec.peer.certificate import LOCALHOST, Certificate
from veeamsec.peer.faults import CUT, DROP, GARBAGE, SLOW, STATUSES, Fault
from veeamsec.peer.installation import Installation

# Whole models of jobs are the largest bodies.
_LARGEST = 8 << 20
_IDLE_SECONDS = 30
_PARTING_SECONDS = 2
_PAGE_OF_A_PROXY = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True)
class Seen:
    """A call that arrived: never with its body."""

    method: str
    path: str
    status: int


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "veeam-peer", ""
    timeout = _IDLE_SECONDS
    # Head and body leave together, at once.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: "Server"

    def setup(self) -> None:
        self.server.enter(self.request)
        super().setup()

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            return
        finally:
            self.server.leave(self.request)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed: addresses of tokens and passwords must not end in a terminal."""

    def do(self) -> None:
        """Do one call, or what was ordered in its place."""
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal() or int(length) > _LARGEST:
            self.close_connection = True
            return
        body = self.rfile.read(int(length))
        path = self.path.partition("?")[0]
        at = self.server.installation
        for action in at.faults.due(self.command, path):
            action()
        fault = at.faults.meet(self.command, path)
        if fault is not None and fault.kind == DROP:
            self.close_connection = True
            return
        answer = _ordered(fault)
        if answer is None:
            with at.lock:
                headers = {name.casefold(): value for name, value in self.headers.items()}
                answer = routes.answer(at, self.command, self.path, headers, body)
                content = answer.content()
        else:
            content = answer.content()
        self._give(answer, content, fault, path)

    do_GET = do_POST = do_PUT = do_DELETE = do

    def _give(self, answer: Answer, content: bytes, fault: Fault | None, path: str) -> None:
        self.server.seen.append(Seen(self.command, path, answer.status))
        cut = fault is not None and fault.kind == CUT
        if cut:
            self.close_connection = True
            if not content:
                return
        if fault is not None and fault.kind == GARBAGE:
            content = _PAGE_OF_A_PROXY
        self.send_response(answer.status)
        if content:
            html = content is _PAGE_OF_A_PROXY
            self.send_header("Content-Type", "text/html" if html else "application/json; charset=utf-8")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)


def _ordered(fault: Fault | None) -> Answer | None:
    """The answer in place of the call's own; None where the call is to be done."""
    if fault is None:
        return None
    if fault.kind == SLOW:
        time.sleep(fault.seconds)
        return None
    if fault.kind == GARBAGE:
        return Answer(502)
    if isinstance(fault.kind, int):
        code, message = STATUSES[fault.kind]
        headers = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
        return Answer(fault.kind, {"errorCode": code, "message": message}, headers)
    return None


class Server(ThreadingHTTPServer):
    """The listening socket, and the connections that are open."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, installation: Installation, certificate: Certificate, port: int = 0) -> None:
        self.installation = installation
        self.seen: list[Seen] = []
        self._context = certificate.context()
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__((LOCALHOST, port), _Handler)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def get_request(self) -> tuple[Any, Any]:
        """Take a connection; who is slow with the handshake delays only their own thread."""
        taken, address = super().get_request()
        taken.settimeout(_IDLE_SECONDS)
        secured = self._context.wrap_socket(taken, server_side=True, do_handshake_on_connect=False)
        return secured, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that ended badly is no news: clients go, and certificates are refused."""

    def enter(self, connection: socket.socket) -> None:
        """A connection is open."""
        with self._guard:
            self._connections.add(connection)

    def leave(self, connection: socket.socket) -> None:
        """A connection is over."""
        with self._guard:
            self._connections.discard(connection)

    def close(self) -> None:
        """Hang up on everybody and free the port."""
        self.shutdown()
        self.server_close()
        until = time.perf_counter() + _PARTING_SECONDS
        while left := self._open():
            for connection in left:
                # The thread that waits there wakes up, and closes.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
            if time.perf_counter() > until:
                return
            threading.Event().wait(0.005)

    def _open(self) -> list[socket.socket]:
        with self._guard:
            return list(self._connections)
