"""The order to the enterprise worker: what the worker signs once a request is approved.

The enterprise worker holds private halves and trusts no row: it acts on what a signed order says, and on
nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit import dsse
from audit.errors import Forged
from encryption.crypto.encoding import canonical, from_uuid, parse

PAYLOAD_TYPE = "application/vnd.veeamsec.enterprise-order+json"
TYPE, VERSION = "veeamsec-enterprise-order", 1
ACTIONS = ("activate", "answer", "delete", "export", "import", "register")
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_NAMES = "action case digest keyset request server subject time type version"


@dataclass(frozen=True, slots=True)
class Order:
    """What an approved request lets the enterprise worker do, once.

    `subject` is the SHA-256 of what it is about: a request's payload (answer), a registration's (register),
    an export's text (import), the sealed passphrase (export); empty else.
    """

    action: str
    request: UUID
    digest: str
    keyset: UUID | None
    server: UUID | None
    case: UUID | None
    subject: str
    time: datetime


def build(order: Order) -> bytes:
    """Return the canonical bytes of an order."""
    return canonical(
        {
            "action": order.action,
            "case": _text(order.case),
            "digest": order.digest,
            "keyset": _text(order.keyset),
            "request": str(order.request),
            "server": _text(order.server),
            "subject": order.subject,
            "time": order.time.astimezone(UTC).strftime(_TIME),
            "type": TYPE,
            "version": VERSION,
        }
    )


def sign(order: Order, key: Ed25519PrivateKey, keyid: str) -> dict[str, Any]:
    """Return the signed envelope of an order."""
    return dsse.sign(build(order), key, keyid, payload_type=PAYLOAD_TYPE)


def open_order(envelope: Mapping[str, Any] | None, public_key: Ed25519PublicKey) -> Order:
    """Return the order that the worker signed; raises Forged."""
    if not isinstance(envelope, Mapping):
        raise Forged("There is no signed order.")
    payload = dsse.open_envelope(envelope, public_key, payload_type=PAYLOAD_TYPE)
    try:
        value = parse(payload)
        if set(value) != set(_NAMES.split()) or value["action"] not in ACTIONS:
            raise ValueError("another form")
        order = Order(
            action=value["action"],
            request=from_uuid(value["request"]),
            digest=value["digest"],
            keyset=_uuid(value["keyset"]),
            server=_uuid(value["server"]),
            case=_uuid(value["case"]),
            subject=value["subject"],
            time=datetime.strptime(value["time"], _TIME).replace(tzinfo=UTC),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Forged("This is no order of a form that this version knows.") from error
    if build(order) != payload:
        raise Forged("The order is not in its canonical form.")
    return order


def _uuid(value: Any) -> UUID | None:
    return None if value is None else from_uuid(value)


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
