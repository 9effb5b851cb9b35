"""The order: what the worker signs once a request is approved, and verifies before every step (P5, P11).

A row forged in the database moves nothing: a step acts on what its order says, and on nothing else. Every
byte is described in docs/evidence-format.md.
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

PAYLOAD_TYPE = "application/vnd.veeamsec.order+json"
TYPE, VERSION = "veeamsec-order", 1
_TIME = "%Y-%m-%dT%H:%M:%SZ"

ACTIONS = ("activate", "change", "deactivate")
SCOPES = ("keys", "data")
STARTS = ("next_run", "now")
THENS = ("keep", "delete")


@dataclass(frozen=True, slots=True)
class Target:
    """One job of an order: from which keyring to which; twice the same leaves the keyring alone.

    Veeam's new fingerprint is known only when it is read back: it is empty here.
    """

    job: UUID
    old_fingerprint: str
    new_fingerprint: str
    user_key: UUID | None


@dataclass(frozen=True, slots=True)
class Order:
    """What an approved request sets to work."""

    action: str
    password_version: UUID | None
    rekey: UUID
    request: UUID
    request_digest: str
    scope: str
    start: str
    then: str
    targets: tuple[Target, ...]
    time: datetime
    # Where another product does it: the address, the name and the pinned certificate of its server.
    server: Mapping[str, str] | None = None
    # What the description of a job is to end with there.
    note: str = ""

    def target(self, job: UUID) -> Target:
        """Return what the order says of one job. Raises Forged when it says nothing."""
        for target in self.targets:
            if target.job == job:
                return target
        raise Forged("The order does not name this job.")


def build(order: Order) -> bytes:
    """Return the canonical bytes of an order; targets stand in the order of their job's id."""
    return canonical(
        {
            "action": order.action,
            "password_version": _text(order.password_version),
            "rekey": str(order.rekey),
            "request": str(order.request),
            "request_digest": order.request_digest,
            "scope": order.scope,
            "start": order.start,
            "targets": [
                {
                    "job": str(target.job),
                    "new_fingerprint": target.new_fingerprint,
                    "old_fingerprint": target.old_fingerprint,
                    "user_key": _text(target.user_key),
                }
                for target in sorted(order.targets, key=lambda target: str(target.job))
            ],
            "then": order.then,
            "time": order.time.astimezone(UTC).strftime(_TIME),
            "type": TYPE,
            "version": VERSION,
            **({"note": order.note} if order.note else {}),
            **({"server": dict(order.server)} if order.server is not None else {}),
        }
    )


def read(payload: bytes) -> Order:
    """Return the order in canonical bytes; raises Forged for anything else."""
    try:
        value = parse(payload)
        order = Order(
            action=_one_of(value["action"], ACTIONS),
            password_version=_uuid(value["password_version"]),
            rekey=from_uuid(value["rekey"]),
            request=from_uuid(value["request"]),
            request_digest=_digest(value["request_digest"]),
            scope=_one_of(value["scope"], SCOPES),
            start=_one_of(value["start"], STARTS),
            then=_one_of(value["then"], THENS),
            targets=tuple(_target(target) for target in value["targets"]),
            time=datetime.strptime(value["time"], _TIME).replace(tzinfo=UTC),
            server=_server(value["server"]) if "server" in value else None,
            note=str(value.get("note", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Forged("This is no order of a form that this version knows.") from error
    if build(order) != payload:
        raise Forged("The order is not in its canonical form.")
    return order


def sign(order: Order, key: Ed25519PrivateKey, keyid: str) -> dict[str, Any]:
    """Return the signed envelope of an order."""
    return dsse.sign(build(order), key, keyid, payload_type=PAYLOAD_TYPE)


def open_order(envelope: Mapping[str, Any], public_key: Ed25519PublicKey) -> Order:
    """Return the order that the worker signed; raises Forged."""
    if not isinstance(envelope, Mapping):
        raise Forged("This is no signed envelope.")
    return read(dsse.open_envelope(envelope, public_key, payload_type=PAYLOAD_TYPE))


def _target(value: Mapping[str, Any]) -> Target:
    return Target(
        job=from_uuid(value["job"]),
        old_fingerprint=_digest(value["old_fingerprint"], empty=True),
        new_fingerprint=_digest(value["new_fingerprint"], empty=True),
        user_key=_uuid(value["user_key"]),
    )


def _server(value: Mapping[str, Any]) -> dict[str, str]:
    if value.keys() != {"address", "name", "pin"} or not all(
        isinstance(part, str) for part in value.values()
    ):
        raise ValueError("no server")
    return dict(value)


def _digest(value: Any, *, empty: bool = False) -> str:
    if empty and value == "":
        return ""
    if not isinstance(value, str) or len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise ValueError("no digest")
    return value


def _one_of(value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError("unknown word")
    return str(value)


def _uuid(value: Any) -> UUID | None:
    return None if value is None else from_uuid(value)


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
