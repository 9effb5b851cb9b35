"""A web server over TLS that keeps what came."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.audit.forwarding.certificates import Authority


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *told) -> None:
        """Nothing."""


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def server(authority, tmp_path) -> Iterator[HTTPServer]:
    pair = authority.signed()
    (tmp_path / "pair.pem").write_bytes(pair.certificate.encode() + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair.pem")
    with HTTPServer(("127.0.0.1", 0), Handler) as made:
        made.socket = context.wrap_socket(made.socket, server_side=True)
        made.came, made.status, made.location = [], 200, f"https://127.0.0.1:{made.server_port}/other"
        # A client that breaks off in the handshake is this test's doing.
        made.handle_error = lambda *told: None
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join(5)
