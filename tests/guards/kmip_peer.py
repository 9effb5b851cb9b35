"""PyKMIP's server on 127.0.0.1, as a process of its own: `python -m tests.guards.kmip_peer FOLDER PORT`.

It stays alive on SIGTERM, with processes of its own; so it gets a session, and its group is killed.
"""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

# A peer that nobody ends goes by itself.
LONGEST_SECONDS = 300


@dataclass
class Peer:
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        at = self.folder
        return f"kmip://127.0.0.1:{self.port}?ca={at}/ca.pem&cert={at}/client.pem&key={at}/client.key"

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def back(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-W", "ignore", "-m", "tests.guards.kmip_peer"]
        with (self.folder / "errors").open("wb") as errors:
            self.process = subprocess.Popen(
                [*command, str(self.folder), str(self.port)],
                cwd=Path(__file__).parent.parent.parent,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        end = time.monotonic() + 30
        while time.monotonic() < end and self.runs:
            with contextlib.suppress(OSError):
                self._greet()
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "errors").read_text()[-2000:])

    def away(self) -> None:
        """Kill it."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            self.process = None

    def _greet(self) -> None:
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        context.load_cert_chain(self.folder / "client.pem", self.folder / "client.key")
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain:
            context.wrap_socket(plain, server_hostname="127.0.0.1").close()


def make(folder: Path) -> Peer:
    """Return a peer that is not started, with an authority and two certificates."""
    folder.mkdir(parents=True)
    authority = _certify(folder, "ca", None, x509.BasicConstraints(ca=True, path_length=0))
    server = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH])
    client = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH])
    _certify(folder, "server", authority, server)
    _certify(folder, "client", authority, client)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Peer(folder, free.getsockname()[1])


_Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _certify(folder: Path, name: str, by: _Pair | None, what: x509.ExtensionType) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"veeamsec {name}")])
    now = datetime.now(UTC)
    issuer, signer = (subject, key) if by is None else (by[0].subject, by[1])
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(what, critical=by is None)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if by is None:
        uses = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
        )
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
            **uses,
        )
        builder = builder.add_extension(usage, critical=True)
    certificate = builder.sign(signer, SHA256())
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    private = folder / f"{name}.key"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private.chmod(0o600)
    return certificate, key


def main(folder: Path, port: int) -> None:
    """Serve until killed."""
    from kmip.services.server import KmipServer

    signal.alarm(LONGEST_SECONDS)
    at = str(folder)
    server = KmipServer(
        hostname="127.0.0.1",
        port=port,
        certificate_path=f"{at}/server.pem",
        key_path=f"{at}/server.key",
        ca_path=f"{at}/ca.pem",
        auth_suite="TLS1.2",
        config_path=None,
        log_path=f"{at}/log",
        policy_path=at,
        enable_tls_client_auth=True,
        database_path=f"{at}/objects.db",
    )
    with server:
        server.serve()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
