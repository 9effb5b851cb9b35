"""The canonical bytes of one log entry (docs/evidence-format.md, "Entry"), and who can be its actor."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Protocol
from uuid import UUID

import rfc8785

from audit.errors import Forged
from audit.events import Event

TYPE, VERSION = "veeamsec-entry", 1
TIME = "%Y-%m-%dT%H:%M:%SZ"

# tlog-tiles gives an entry's length two bytes.
MAX_ENTRY = 65_535
SALT_SIZE = 16


class Actor(Protocol):
    """Who acts: an account, or a part of the system."""

    @property
    def pk(self) -> Any:
        """The account's uuid."""

    @property
    def person_id(self) -> Any:
        """The uuid of the person behind it; None for a part of the system."""

    def get_username(self) -> str:
        """Return the name to show."""


@dataclass(frozen=True, slots=True)
class SystemActor:
    """A part of the system that acts in nobody's name."""

    pk: UUID
    name: str
    person_id: None = None

    def get_username(self) -> str:
        """Return the name to show."""
        return self.name


# Stored for ever: never change a number, never reuse one.
WORKER = SystemActor(UUID("00000000-0000-4000-8000-000000000001"), "worker")
BEAT = SystemActor(UUID("00000000-0000-4000-8000-000000000002"), "beat")
CONSOLE = SystemActor(UUID("00000000-0000-4000-8000-000000000003"), "console")
NOBODY = SystemActor(UUID("00000000-0000-4000-8000-000000000004"), "nobody")
ENTERPRISE = SystemActor(UUID("00000000-0000-4000-8000-000000000005"), "enterprise")
SYSTEM = {actor.pk: actor for actor in (WORKER, BEAT, CONSOLE, NOBODY, ENTERPRISE)}


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry without its place: what is known before the head of the log is held."""

    event: Event
    actor: UUID | None
    person: UUID | None
    subject_type: str
    subject_id: str
    facts: dict[str, Any]
    names: Mapping[str, str]


def canonical(
    draft: Draft, *, sequence: int, time: datetime, commitments: Mapping[str, str], number: int | None = None
) -> bytes:
    """Return the bytes of an entry; ValueError when they are too long or hold what RFC 8785 cannot write."""
    entry = rfc8785.dumps(
        {
            "actor": _text(draft.actor),
            "event": str(draft.event),
            "facts": draft.facts,
            "names": dict(commitments),
            "number": draft.event.number if number is None else number,
            "person": _text(draft.person),
            "sequence": sequence,
            "subject": {"id": draft.subject_id, "type": draft.subject_type},
            "time": time.astimezone(UTC).strftime(TIME),
            "type": TYPE,
            "version": VERSION,
        }
    )
    if len(entry) > MAX_ENTRY:
        raise ValueError(f"an entry of {len(entry)} bytes; at most {MAX_ENTRY} are allowed")
    return entry


def parse(entry: bytes) -> dict[str, Any]:
    """Return what the bytes of an entry say; raises Forged for anything but canonical bytes."""
    if len(entry) > MAX_ENTRY:
        raise Forged("The entry is too long.")
    try:
        body = json.loads(entry)
        same = rfc8785.dumps(body) == entry
    except (ValueError, RecursionError) as error:
        raise Forged("The entry cannot be read.") from error
    if not same or not isinstance(body, dict) or (body.get("type"), body.get("version")) != (TYPE, VERSION):
        raise Forged("The entry is not in canonical form.")
    return body


def salt() -> bytes:
    """Return a fresh salt for one name."""
    return os.urandom(SALT_SIZE)


def commitment(salt: bytes, name: str) -> str:
    """Return what stands in the log for a name: it binds the name, and without the salt it tells nothing."""
    return hashlib.sha256(salt + name.encode()).hexdigest()


def plain(value: object) -> Any:
    """Return a fact as JSON (texts, whole numbers, truth values, lists, objects) or raise TypeError."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        # PostgreSQL's jsonb cannot hold NUL, nor UTF-8 a half of a surrogate pair.
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(TIME)
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    raise TypeError(f"a fact cannot be a {type(value).__name__}")


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
