"""The request of a backup server, and the Enterprise Manager's response, sealed to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from encryption.crypto import fips
from encryption.crypto.encoding import canonical, from_base64, from_uuid, parse, to_base64
from encryption.engines.native.recovery import Line, in_order, line_of
from recovery.documents.forms import (
    NONCE_BYTES,
    digest_of,
    document,
    exact,
    guarded,
    opened,
    payload_of,
    read_time,
    same,
    text_of,
    written,
)
from recovery.errors import DoesNotOpen

REQUEST_TYPE = "application/vnd.veeamsec.recovery-request+json"
RESPONSE_TYPE = "application/vnd.veeamsec.recovery-response+json"
MAX_LINES = 100_000

SealingPublic = X25519PublicKey | EllipticCurvePublicKey
SealingPrivate = X25519PrivateKey | EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Request:
    """A backup server's wish to have storage keys opened."""

    request: UUID
    server: UUID
    nonce: bytes
    reason: str
    time: datetime
    lines: tuple[Line, ...]

    @property
    def keysets(self) -> tuple[UUID, ...]:
        """Return the keysets that the lines are wrapped for."""
        return tuple(sorted({line.keyset for line in self.lines}, key=str))


@dataclass(frozen=True, slots=True)
class Response:
    """The Enterprise Manager's answer; only the server that asked opens what is sealed in it."""

    request: UUID
    request_sha256: str
    nonce: bytes
    server: UUID
    enterprise: UUID
    case: str
    sealed: bytes
    time: datetime
    expires: datetime


@dataclass(frozen=True, slots=True, repr=False)
class OpenedKey:
    """One storage key in clear; it lives in memory and in what is sealed."""

    job: UUID
    restore_point: UUID
    storage_key: UUID
    key: bytes


def build_request(request: Request) -> bytes:
    """Return the canonical bytes of a request; its lines stand in the order of the format."""
    return canonical(
        {
            "keysets": [str(keyset) for keyset in request.keysets],
            "lines": [line.to_json() for line in in_order(request.lines)],
            "nonce": to_base64(request.nonce),
            "reason": request.reason,
            "request": str(request.request),
            "server": str(request.server),
            "time": written(request.time),
            "type": "veeamsec-recovery-request",
            "version": 1,
        }
    )


def asking_server(envelope: Mapping[str, Any]) -> UUID:
    """Return which server a request claims to come from; nothing is proven yet. Raises NotGenuine."""
    return guarded(lambda: from_uuid(payload_of(envelope)["server"]))


def open_request(envelope: Mapping[str, Any], key: Ed25519PublicKey) -> tuple[Request, bytes]:
    """Return a request and its bytes, which this server key signed; its lines are unverified.

    Raises NotGenuine.
    """
    payload = opened(envelope, key, REQUEST_TYPE)

    def read() -> Request:
        value = document(
            payload, "veeamsec-recovery-request", "keysets lines nonce reason request server time"
        )
        if not isinstance(value["lines"], list) or not 1 <= len(value["lines"]) <= MAX_LINES:
            raise ValueError("a request has 1 to 100,000 lines")
        return Request(
            request=from_uuid(value["request"]),
            server=from_uuid(value["server"]),
            nonce=from_base64(value["nonce"], NONCE_BYTES),
            reason=text_of(value["reason"], 0, 2000),
            time=read_time(value["time"]),
            lines=tuple(line_of(line) for line in value["lines"]),
        )

    return same(guarded(read), build_request, payload), payload


def build_response(response: Response) -> bytes:
    """Return the canonical bytes of a response."""
    return canonical(
        {
            "case": response.case,
            "enterprise": str(response.enterprise),
            "expires": written(response.expires),
            "nonce": to_base64(response.nonce),
            "request": str(response.request),
            "request_sha256": response.request_sha256,
            "sealed": to_base64(response.sealed),
            "server": str(response.server),
            "time": written(response.time),
            "type": "veeamsec-recovery-response",
            "version": 1,
        }
    )


def open_response(envelope: Mapping[str, Any], key: Ed25519PublicKey) -> Response:
    """Return a response that this enterprise key signed. Raises NotGenuine."""
    payload = opened(envelope, key, RESPONSE_TYPE)
    names = "case enterprise expires nonce request request_sha256 sealed server time"

    def read() -> Response:
        value = document(payload, "veeamsec-recovery-response", names)
        return Response(
            request=from_uuid(value["request"]),
            request_sha256=digest_of(value["request_sha256"]),
            nonce=from_base64(value["nonce"], NONCE_BYTES),
            server=from_uuid(value["server"]),
            enterprise=from_uuid(value["enterprise"]),
            case=text_of(value["case"], 0, 60),
            sealed=from_base64(value["sealed"]),
            time=read_time(value["time"]),
            expires=read_time(value["expires"]),
        )

    return same(guarded(read), build_response, payload)


def seal_keys(keys: Iterable[OpenedKey], to: SealingPublic, *, request: UUID, server: UUID) -> bytes:
    """Return storage keys sealed to a server's key, for one request of it."""
    rows = [
        {
            "job": str(one.job),
            "key": to_base64(one.key),
            "restore_point": str(one.restore_point),
            "storage_key": str(one.storage_key),
        }
        for one in sorted(keys, key=lambda one: str(one.storage_key))
    ]
    suite = _suite(isinstance(to, X25519PublicKey))
    return bytes(suite.encrypt(canonical({"keys": rows}), to, _info(request, server)))


def open_keys(sealed: bytes, key: SealingPrivate, *, request: UUID, server: UUID) -> list[OpenedKey]:
    """Return the storage keys in a response. Raises DoesNotOpen."""
    try:
        text = _suite(isinstance(key, X25519PrivateKey)).decrypt(sealed, key, _info(request, server))
    except (InvalidTag, ValueError):
        raise DoesNotOpen("The response does not open with this server's key.") from None

    def read() -> list[OpenedKey]:
        value = parse(bytes(text))
        exact(value, "keys")
        return [_read_key(row) for row in value["keys"]]

    return guarded(read)


def _read_key(row: Mapping[str, Any]) -> OpenedKey:
    exact(row, "job key restore_point storage_key")
    return OpenedKey(
        job=from_uuid(row["job"]),
        restore_point=from_uuid(row["restore_point"]),
        storage_key=from_uuid(row["storage_key"]),
        key=from_base64(row["key"], 32),
    )


def _suite(is_x25519: bool) -> Suite:
    fips.check_curve(is_x25519=is_x25519)
    return Suite(KEM.X25519 if is_x25519 else KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def _info(request: UUID, server: UUID) -> bytes:
    return f"veeamsec/1|recovery-response|{request}|{server}".encode("ascii")
