"""Who answers at a Veeam server's address: a certificate that was pinned, or nobody.

A server comes with a self-signed certificate, so its thumbprint is compared by a person once and by every
connection afterwards: right after the handshake, before a byte of HTTP is written. An authority's certificate
may be pinned in its place; then the chain and the server's name are checked, and no other authority counts.
"""

import hashlib
import re
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from cryptography import x509

from encryption.errors import VeeamUnexpected, VeeamUnreachable, VeeamUntrusted

# Hex digits of SHA-1, which Veeam's console shows, and of SHA-256.
_LENGTHS = (40, 64)
_LONGEST_SUBJECT = 500
_HOST = re.compile(r"[\w.:-]{1,253}")


@dataclass(frozen=True, slots=True)
class Pin:
    """How a server is known again: by its certificate's SHA-256 or SHA-1, by an authority's certificate."""

    thumbprint: str | None = None
    ca_pem: str | None = None

    def __post_init__(self) -> None:
        """Bring the thumbprint to lower-case hex; raises VeeamUntrusted for one that is none."""
        if self.thumbprint is None:
            return
        found = re.sub(r"[\s:]", "", self.thumbprint).lower()
        if len(found) not in _LENGTHS or not re.fullmatch(r"[0-9a-f]+", found):
            raise VeeamUntrusted("A thumbprint has 64 hex digits (SHA-256), or 40 (SHA-1).")
        object.__setattr__(self, "thumbprint", found)

    def fits(self, certificate: bytes) -> bool:
        """Say whether a certificate in DER is the pinned one; true where no thumbprint is pinned."""
        if self.thumbprint is None:
            return True
        seen = sha1(certificate) if len(self.thumbprint) == _LENGTHS[0] else sha256(certificate)
        return seen == self.thumbprint


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server showed before anything was sent to it."""

    thumbprint_sha256: str
    thumbprint_sha1: str
    subject: str
    not_after: datetime
    tls_version: str


class _PinnedSocket(ssl.SSLSocket):
    """A socket whose handshake ends only with the pinned certificate."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands, then judge who is there; whoever is not the pinned one loses the connection."""
        why = None
        try:
            super().do_handshake(block)
        except ssl.SSLCertVerificationError as error:
            why = f"The server's certificate does not come from the pinned authority: {error.verify_message}."
        else:
            why = self.context.judge(self) if isinstance(self.context, PinnedContext) else None
        if why is not None:
            self.close()
            raise VeeamUntrusted(why)


class PinnedContext(ssl.SSLContext):
    """A context that speaks TLS 1.2 or newer with one server only, and remembers what was negotiated."""

    sslsocket_class = _PinnedSocket
    pin: Pin
    tls_version: str

    def __new__(cls, pin: Pin) -> Self:
        """Make a context for `pin`; raises VeeamUntrusted where nothing is pinned, or nothing readable."""
        if pin.thumbprint is None and not pin.ca_pem:
            raise VeeamUntrusted("No certificate is pinned for this server: compare its thumbprint first.")
        context = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        context.pin, context.tls_version = pin, ""
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if pin.ca_pem:
            # An issuing authority below a root may be the pinned one.
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            _load(context, pin.ca_pem)
        else:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def judge(self, connection: ssl.SSLSocket) -> str | None:
        """Say why the certificate is not the pinned one; None where it is, and the version is noted."""
        certificate = connection.getpeercert(binary_form=True)
        if certificate is None or not self.pin.fits(certificate):
            shown = sha256(certificate) if certificate else "none"
            return (
                "The server shows another certificate than the pinned one; nothing was sent to it."
                f" Its SHA-256 is {shown}."
            )
        self.tls_version = connection.version() or ""
        return None


def look(address: str, port: int, timeout: float) -> Seen:
    """Connect, read the certificate, and leave; nothing is sent beyond the handshake.

    Raises VeeamUnreachable, and VeeamUnexpected for a certificate that cannot be read.
    """
    check_address(address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, port), timeout) as plain,
            context.wrap_socket(plain, server_hostname=address) as connection,
        ):
            certificate = connection.getpeercert(binary_form=True) or b""
            version = connection.version() or ""
    except (OSError, ValueError) as error:
        raise VeeamUnreachable(f"{address}, port {port}, gives no TLS connection: {error}.") from None
    return _seen(certificate, version)


def check_address(address: str) -> None:
    """Raise VeeamUnreachable unless `address` is a host name or an IP address, and nothing more."""
    if not _HOST.fullmatch(address):
        raise VeeamUnreachable("The server's address is neither a host name nor an IP address.")


def sha256(certificate: bytes) -> str:
    """Return a certificate's thumbprint by SHA-256, in lower-case hex."""
    return hashlib.sha256(certificate).hexdigest()


def sha1(certificate: bytes) -> str:
    """Return a certificate's thumbprint as Veeam's console shows it, in lower-case hex."""
    return hashlib.sha1(certificate, usedforsecurity=False).hexdigest()


def _seen(certificate: bytes, version: str) -> Seen:
    try:
        parsed: Any = x509.load_der_x509_certificate(certificate)
        subject, not_after = parsed.subject.rfc4514_string(), parsed.not_valid_after_utc
    except ValueError:
        raise VeeamUnexpected("The server shows a certificate that cannot be read.") from None
    return Seen(sha256(certificate), sha1(certificate), subject[:_LONGEST_SUBJECT], not_after, version)


def _load(context: ssl.SSLContext, pem: str) -> None:
    try:
        context.load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        raise VeeamUntrusted("The pinned authority's certificate cannot be read: PEM is expected.") from None
