"""An authority of the test's own, and what it signs."""

import datetime
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@dataclass(frozen=True)
class Pair:
    """A certificate and its key in PEM form."""

    certificate: str
    key: bytes


class Authority:
    """Signs certificates for 127.0.0.1 and for names."""

    def __init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        self._name = x509.Name.from_rfc4514_string("CN=The test's authority")
        self.pair = self._made(self._name, self._key, ca=True)

    def signed(self, name: str = "127.0.0.1") -> Pair:
        """Return a pair for an IP address or a name."""
        return self._made(
            x509.Name.from_rfc4514_string(f"CN={name}"), generate_private_key(SECP256R1()), name
        )

    def _made(
        self, subject: x509.Name, key: EllipticCurvePrivateKey, name: str = "", *, ca: bool = False
    ) -> Pair:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=400))
            .not_valid_after(now + datetime.timedelta(days=400))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if name:
            builder = builder.add_extension(x509.SubjectAlternativeName([_named(name)]), critical=False)
        made = builder.sign(self._key, SHA256())
        text = made.public_bytes(Encoding.PEM).decode()
        return Pair(text, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
