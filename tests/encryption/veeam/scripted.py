"""A server on this machine that answers as a test tells it, over TLS with a certificate of its own."""

import contextlib
import datetime
import hashlib
import ipaddress
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TOKEN = {
    "access_token": "access-1",
    "token_type": "bearer",
    "refresh_token": "refresh-1",
    "expires_in": 900,
    ".issued": "2026-11-25T05:00:00+00:00",
    ".expires": "2026-11-25T05:15:00+00:00",
}
INFO = {"vbrId": "c5b3b3f1-0000-4000-8000-000000000001", "name": "vbr", "buildVersion": "13.1.0.411"}


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """One answer; `cut` closes the connection in the midst of it."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


Answering = Callable[[Asked], Reply | None]


@dataclass
class Scripted:
    """A running server: its place, its certificate, and all that it was asked."""

    port: int
    certificate: bytes
    pem: str
    asked: list[Asked] = field(default_factory=list)
    answering: Answering | None = None
    bytes_read: int = 0

    @property
    def thumbprint(self) -> str:
        return hashlib.sha256(self.certificate).hexdigest()

    def calls(self, path: str) -> list[Asked]:
        return [one for one in self.asked if one.path == path]

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        if self.answering is not None and (reply := self.answering(asked)) is not None:
            return reply
        match asked.path:
            case "/api/v1/serverTime":
                return Reply(200, {"serverTime": "2026-11-25T05:00:00Z", "timeZone": "UTC"})
            case "/api/oauth2/token":
                return Reply(200, TOKEN)
            case "/api/v1/serverInfo":
                return Reply(200, INFO)
            case "/api/oauth2/logout":
                return Reply(200, {})
        return Reply(404, {"errorCode": "NotFound", "message": "no such thing"})


def listed(entries: list[Any], asked: Asked) -> Reply:
    """Answer a page of `entries` as it was asked for."""
    skip, limit = int(asked.query.get("skip", 0)), int(asked.query.get("limit", 200))
    page = entries[skip : skip + limit]
    pages = {"total": len(entries), "count": len(page), "skip": skip, "limit": limit}
    return Reply(200, {"data": page, "pagination": pages})


def answers(scripted: Scripted, **replies: Reply) -> Scripted:
    """Answer by the path's end and method, such as `verify_POST`."""

    def answering(asked):
        name = asked.path.rpartition("/")[2].replace("-", "")
        found = replies.get(f"{name}_{asked.method}", replies.get(asked.method))
        return found if asked.path not in ("/api/oauth2/token", "/api/oauth2/logout") else None

    scripted.answering = answering
    return scripted


def last(scripted: Scripted, method: str) -> Asked:
    """Return the newest request of a method, sign-in aside."""
    return [one for one in scripted.asked if one.method == method and "oauth2" not in one.path][-1]


@contextlib.contextmanager
def serving(folder: Path, **tls: Any) -> Iterator[Scripted]:
    """Run a server on a free port until the block ends."""
    certificate, pem = make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    for name, value in tls.items():
        setattr(context, name, value)
    scripted = Scripted(0, certificate, pem)
    server = _Server(("127.0.0.1", 0), _handler(scripted))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    scripted.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield scripted
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that leaves is no news."""


def _handler(scripted: Scripted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10
        disable_nagle_algorithm = True

        def setup(self):
            self.request.settimeout(10)
            self.request.do_handshake()
            super().setup()

        def log_message(self, *args):
            """Say nothing."""

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            scripted.bytes_read += len(body) + 1
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
            reply = scripted.answer(asked)
            content = b"" if reply.body is None else reply.body
            if not isinstance(content, bytes):
                content = json.dumps(content).encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content) + (100 if reply.cut else 0)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = self.close_connection or reply.cut

        do_GET = do_POST = do_PUT = do_DELETE = answer

    return Handler


def make_certificate(folder: Path) -> tuple[bytes, str]:
    """Write key and certificate of a server named localhost; returns the certificate as DER and PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vbr.example")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(secret + pem)
    return certificate.public_bytes(serialization.Encoding.DER), pem.decode()
