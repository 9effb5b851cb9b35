"""The roster: who sits in Security, who administers, with which passkeys; the worker signs it.

Normative form in docs/evidence-format.md. A roster follows the one whose body it names by digest;
number 1 has none.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from accounts.errors import RosterInvalid
from audit import dsse
from audit.errors import Forged

TYPE = "veeamsec-roster"
VERSION = 1
# A type of its own: no other text that the worker signs can pass for a roster.
PAYLOAD_TYPE = "application/vnd.veeamsec.roster+json"
# A roster of five hundred people with four passkeys each stays below this.
MAX_BODY = 2_000_000
TIME = "%Y-%m-%dT%H:%M:%SZ"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TITLES = frozenset({"dpo", "ciso", "other"})


@dataclass(frozen=True, slots=True)
class Credential:
    """One passkey: its id and its COSE key, both base64url without padding.

    `since` is when it came in later than its account, signed by one that was in; else it is as old as that.
    """

    id: str
    public_key: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One account in the roster; `title` only for Security."""

    user: UUID
    person: UUID
    since: datetime
    credentials: tuple[Credential, ...] = ()
    title: str | None = None

    def known_since(self, credential: Credential) -> datetime:
        """Return since when a passkey of this account stands in the roster."""
        return max(self.since, credential.since or self.since)

    def credential(self, credential_id: str) -> Credential | None:
        """Return the passkey of that id, if it is this account's."""
        return next((found for found in self.credentials if found.id == credential_id), None)


@dataclass(frozen=True, slots=True)
class RosterBody:
    """What one roster says."""

    number: int
    time: datetime
    security: tuple[Entry, ...]
    administrators: tuple[Entry, ...]
    previous: str | None = None
    request: UUID | None = None

    def entry(self, user: UUID) -> Entry | None:
        """Return the entry of an account, in whichever list it stands."""
        return next((found for found in (*self.security, *self.administrators) if found.user == user), None)


def seated(body: RosterBody, entry: Entry) -> RosterBody:
    """Return a roster with this account in Security, in place of whatever it said of it before."""
    return replace(body, security=(*_others(body.security, entry.user), entry))


def appointed(body: RosterBody, entry: Entry) -> RosterBody:
    """Return a roster with this account among the administrators, in place of what it said before."""
    return replace(body, administrators=(*_others(body.administrators, entry.user), entry))


def unseated(body: RosterBody, user: UUID) -> RosterBody:
    """Return a roster without this account in Security."""
    return replace(body, security=_others(body.security, user))


def dismissed(body: RosterBody, user: UUID) -> RosterBody:
    """Return a roster without this account among the administrators."""
    return replace(body, administrators=_others(body.administrators, user))


def with_credentials(body: RosterBody, user: UUID, credentials: tuple[Credential, ...]) -> RosterBody:
    """Return a roster in which an account has exactly these passkeys."""

    def changed(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        return tuple(
            replace(entry, credentials=credentials) if entry.user == user else entry for entry in entries
        )

    return replace(body, security=changed(body.security), administrators=changed(body.administrators))


def _others(entries: tuple[Entry, ...], user: UUID) -> tuple[Entry, ...]:
    return tuple(entry for entry in entries if entry.user != user)


def build(body: RosterBody) -> bytes:
    """Return the canonical bytes of a roster; entries stand in the order of their account's id."""
    return rfc8785.dumps(
        {
            "administrators": _entries(body.administrators),
            "number": body.number,
            "previous": body.previous,
            "request": str(body.request) if body.request else None,
            "security": _entries(body.security),
            "time": _written(body.time),
            "type": TYPE,
            "version": VERSION,
        }
    )


def parse(payload: bytes) -> RosterBody:
    """Read canonical bytes; RosterInvalid for anything else, another order of bytes included."""
    if len(payload) > MAX_BODY:
        raise RosterInvalid("The roster is too long.")
    try:
        body = _read(_loads(payload))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RosterInvalid("The roster cannot be read.") from error
    if build(body) != payload:
        raise RosterInvalid("The roster is not in canonical form.")
    _check(body)
    return body


def sign(payload: bytes, key: Ed25519PrivateKey, keyid: str) -> dict[str, Any]:
    """Return the envelope of a roster that was read back and found sound."""
    parse(payload)
    return dsse.sign(payload, key, keyid, payload_type=PAYLOAD_TYPE)


def open_roster(envelope: Mapping[str, Any], public_key: Ed25519PublicKey) -> RosterBody:
    """Verify a roster's envelope under the signing key and return what it says; RosterInvalid otherwise."""
    try:
        payload = dsse.open_envelope(envelope, public_key, payload_type=PAYLOAD_TYPE)
    except Forged as error:
        raise RosterInvalid("The roster is not signed by this installation.") from error
    return parse(payload)


def digest(payload: bytes) -> str:
    """Return the digest by which the next roster names this one."""
    return hashlib.sha256(payload).hexdigest()


def _loads(payload: bytes) -> dict[str, Any]:
    value = json.loads(payload)
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def _entries(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return [_entry(entry) for entry in sorted(entries, key=lambda entry: str(entry.user))]


def _entry(entry: Entry) -> dict[str, Any]:
    ordered = sorted(entry.credentials, key=lambda credential: credential.id)
    fields: dict[str, Any] = {
        "credentials": [_credential(found) for found in ordered],
        "person": str(entry.person),
        "since": _written(entry.since),
        "user": str(entry.user),
    }
    return fields | ({"title": entry.title} if entry.title else {})


def _credential(found: Credential) -> dict[str, str]:
    fields = {"id": found.id, "public_key": found.public_key}
    return fields | ({"since": _written(found.since)} if found.since else {})


def _read(fields: dict[str, Any]) -> RosterBody:
    if fields["type"] != TYPE or fields["version"] != VERSION:
        raise ValueError("another kind of document")
    return RosterBody(
        number=int(fields["number"]),
        time=_time(fields["time"]),
        security=tuple(_read_entry(entry) for entry in fields["security"]),
        administrators=tuple(_read_entry(entry) for entry in fields["administrators"]),
        previous=fields["previous"],
        request=UUID(fields["request"]) if fields["request"] else None,
    )


def _read_entry(fields: dict[str, Any]) -> Entry:
    return Entry(
        user=UUID(fields["user"]),
        person=UUID(fields["person"]),
        since=_time(fields["since"]),
        credentials=tuple(
            Credential(found["id"], found["public_key"], _time(found["since"]) if "since" in found else None)
            for found in fields["credentials"]
        ),
        title=fields.get("title"),
    )


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(TIME)


def _time(text: str) -> datetime:
    return datetime.strptime(text, TIME).replace(tzinfo=UTC)


def _check(body: RosterBody) -> None:
    follows = body.previous is not None and _DIGEST.fullmatch(body.previous) is not None
    if body.number < 1 or (body.number > 1) != follows or (body.number == 1 and body.previous is not None):
        raise RosterInvalid("The roster does not follow another.")
    if len({entry.person for entry in body.security}) < 2:
        raise RosterInvalid("The roster seats fewer than two persons.")
    if any(entry.title not in _TITLES for entry in body.security) or any(
        e.title for e in body.administrators
    ):
        raise RosterInvalid("The roster's titles are wrong.")
    seated = {entry.person for entry in body.security}
    if seated & {entry.person for entry in body.administrators}:
        raise RosterInvalid("The roster seats an administrator.")
    keys = [found.id for entry in (*body.security, *body.administrators) for found in entry.credentials]
    if len(keys) != len(set(keys)):
        raise RosterInvalid("One passkey stands twice in the roster.")
