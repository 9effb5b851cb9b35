"""How every document is read: one spelling of each thing, and one answer for all that is wrong."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit import dsse
from audit.errors import Forged
from encryption.crypto.encoding import from_base64, parse
from encryption.errors import BadRecoveryLine
from recovery.errors import NotGenuine

TIME = "%Y-%m-%dT%H:%M:%SZ"
KEY_BYTES, NONCE_BYTES = 32, 32

Read = TypeVar("Read")


def fingerprint(payload: bytes) -> str:
    """Return what people compare: the SHA-256 of a document's canonical bytes."""
    return hashlib.sha256(payload).hexdigest()


def in_groups(digest: str) -> str:
    """Return a fingerprint as 16 groups of four digits."""
    return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))


def guarded(read: Callable[[], Read]) -> Read:
    """Return what `read` returns; whatever it stumbles over is NotGenuine."""
    try:
        return read()
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, BadRecoveryLine) as error:
        raise NotGenuine("This is no document of a form that this version knows.") from error


def opened(envelope: Mapping[str, Any], key: Ed25519PublicKey, payload_type: str) -> bytes:
    """Return the payload that `key` signed as this type. Raises NotGenuine."""
    try:
        return dsse.open_envelope(envelope, key, payload_type=payload_type)
    except (Forged, AttributeError) as error:
        raise NotGenuine(f"The document is not what it says: {error}") from error


def payload_of(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an envelope claims; nothing is proven yet. Raises ValueError and its like."""
    return parse(from_base64(envelope["payload"]))


def claimed_key(envelope: Mapping[str, Any], name: str) -> Ed25519PublicKey:
    """Return the key that a self-signed document carries. Raises ValueError and its like."""
    return Ed25519PublicKey.from_public_bytes(from_base64(payload_of(envelope)[name], KEY_BYTES))


def document(payload: bytes, kind: str, names: str) -> dict[str, Any]:
    """Return a document of a type with exactly these keys. Raises ValueError."""
    value = parse(payload)
    exact(value, f"{names} type version")
    if (value["type"], value["version"]) != (kind, 1):
        raise ValueError("another type or version")
    return value


def exact(value: Mapping[str, Any], names: str) -> None:
    """Refuse missing and unknown keys. Raises ValueError."""
    if set(value) != set(names.split()):
        raise ValueError("unknown or missing keys")


def same(found: Read, build: Callable[[Read], bytes], payload: bytes) -> Read:
    """Return a value whose canonical bytes are the payload. Raises NotGenuine for another spelling."""
    if guarded(lambda: build(found)) != payload:
        raise NotGenuine("The document is not in its canonical form.")
    return found


def written(moment: datetime) -> str:
    """Return a time as documents hold it."""
    return moment.astimezone(UTC).strftime(TIME)


def read_time(text: Any) -> datetime:
    """Return a time. Raises ValueError."""
    moment = datetime.strptime(text, TIME).replace(tzinfo=UTC)
    if written(moment) != text:
        raise ValueError("another spelling of a time")
    return moment


def text_of(value: Any, least: int, most: int) -> str:
    """Return a text within its bounds. Raises ValueError."""
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise ValueError("a text that is too short or too long")
    return value


def one_of(value: Any, known: tuple[str, ...]) -> str:
    """Return a known word. Raises ValueError."""
    if value not in known:
        raise ValueError("an unknown word")
    return str(value)


def digest_of(value: Any) -> str:
    """Return a digest. Raises ValueError."""
    if not isinstance(value, str) or len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise ValueError("no digest")
    return value
