"""A storage key wrapped a second time: one line of a `<restore point>.recovery` file a keyset.

Signed by the backup server that wrote it; the Enterprise side refuses a line that no registered server
signed. The format is described in docs/format.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from encryption.crypto import keysets, wrap
from encryption.crypto.encoding import canonical, from_base64, from_uuid, parse, to_base64
from encryption.errors import BadRecoveryLine

SUITES = (keysets.RSA, keysets.X_WING)
_NAMES = frozenset(
    ["job", "keyset", "restore_point", "server", "signature", "storage_key", "suite", "wrapped"]
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line; without a signature it is not written yet."""

    job: UUID
    restore_point: UUID
    storage_key: UUID
    keyset: UUID
    suite: str
    server: UUID
    wrapped: bytes
    signature: bytes = b""

    @property
    def signed(self) -> bytes:
        """Return the bytes that the signature covers."""
        return canonical(_content(self))

    @property
    def bound_to(self) -> bytes:
        """Return the associated data under which the storage key was wrapped."""
        return wrap.associated("recovery", self.job, self.restore_point, self.storage_key, self.keyset)

    def to_json(self) -> dict[str, Any]:
        """Return the line as it stands in a file or a request."""
        return _content(self) | {"signature": to_base64(self.signature)}


def sign_line(line: Line, key: Ed25519PrivateKey) -> bytes:
    """Return a line as it is written: canonical JSON with its signature, without line end."""
    return canonical(_content(line) | {"signature": to_base64(key.sign(line.signed))})


def read_line(text: bytes) -> Line:
    """Return a line of a file, its signature unverified. Raises BadRecoveryLine."""
    try:
        value = parse(text)
    except ValueError as error:
        raise BadRecoveryLine("A recovery line cannot be read: its file was cut or altered.") from error
    return line_of(value)


def line_of(value: Mapping[str, Any]) -> Line:
    """Return the line in a JSON object, its signature unverified. Raises BadRecoveryLine."""
    try:
        if set(value) != _NAMES or value["suite"] not in SUITES:
            raise ValueError("another form")
        return Line(
            job=from_uuid(value["job"]),
            restore_point=from_uuid(value["restore_point"]),
            storage_key=from_uuid(value["storage_key"]),
            keyset=from_uuid(value["keyset"]),
            suite=value["suite"],
            server=from_uuid(value["server"]),
            wrapped=from_base64(value["wrapped"]),
            signature=from_base64(value["signature"], 64),
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise BadRecoveryLine("A recovery line is of a form that this version does not know.") from error


def verify_line(line: Line, key: Ed25519PublicKey) -> None:
    """Refuse a line that this server key did not sign. Raises BadRecoveryLine."""
    try:
        key.verify(line.signature, line.signed)
    except InvalidSignature:
        raise BadRecoveryLine(
            f"The recovery line of restore point {line.restore_point} is not signed by the server it names."
        ) from None


def in_order(lines: Iterable[Line]) -> list[Line]:
    """Return lines in the order in which a request holds them."""
    return sorted(lines, key=lambda line: (str(line.storage_key), str(line.keyset)))


def _content(line: Line) -> dict[str, Any]:
    return {
        "job": str(line.job),
        "keyset": str(line.keyset),
        "restore_point": str(line.restore_point),
        "server": str(line.server),
        "storage_key": str(line.storage_key),
        "suite": line.suite,
        "wrapped": to_base64(line.wrapped),
    }
