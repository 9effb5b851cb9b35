"""A database older than what was signed of it: re-keys and deletions wait until two persons acknowledge it.

What was signed and is lost cannot be brought back; it is given up on record: two signed acknowledgements
beside the notes, two entries in the log, and the notes of the lost branch put aside.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import rfc8785
from django.utils import timezone

from audit import dsse, keys, merkle, note
from audit.alarms import Kind
from audit.errors import Forged, Later
from audit.events import Event
from audit.models import Checkpoint, Entry
from audit.services import outside
from audit.services.alarms import resolve_alarm_within
from audit.services.log import act, record
from audit.statement import WORKER, Actor

SUBJECT = "log"
PERSONS = 2
AGAIN = timedelta(seconds=30)
PAYLOAD_TYPE = "application/vnd.veeamsec.acknowledgement+json"
# An envelope of one person is below a kilobyte.
LARGEST = 16 * 1024


@dataclass(frozen=True, slots=True)
class Rollback:
    """What was signed beyond the log: `signed` entries under `root`, of which the log still has `kept`."""

    signed: int
    root: str
    kept: int
    notes: tuple[Path, ...]

    @property
    def ref(self) -> UUID:
        """An id that stands for exactly this rollback, for a step-up to be bound to."""
        return UUID(bytes=hashlib.sha256(f"rollback|{self.signed}|{self.root}".encode()).digest()[:16])


def find() -> Rollback | None:
    """Return what the newest note outside says that the log is not; None when they agree or there is none."""
    newest = next(_heads(), None)
    if newest is None:
        return None
    head, _ = newest
    known = Checkpoint.objects.filter(pk=head.size).values_list("root", flat=True).first()
    return None if known == head.root.hex() else _measure(head)


def wait_while_older() -> None:
    """Raise Later while the database is older than what was signed of it: nothing is re-keyed or deleted."""
    if find() is not None:
        raise Later(AGAIN)


def acknowledge(found: Rollback, *, by: Actor) -> int:
    """Note on record, signed, that a person knows what is lost; with the second person the log goes on.

    Returns how many persons have acknowledged this rollback.
    """
    body: dict[str, Any] = {
        "kept": found.kept,
        "person": str(by.person_id),
        "root": found.root,
        "signed": found.signed,
        "time": f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}",
        "type": "veeamsec-acknowledgement",
        "user": str(by.pk),
        "version": 1,
    }
    envelope = dsse.sign(
        rfc8785.dumps(body), keys.signing_key(), keys.signing_keyid(), payload_type=PAYLOAD_TYPE
    )
    facts = {"signed": found.signed, "kept": found.kept, "root": found.root}
    with act(by=by, subject=SUBJECT):
        record(Event.LOG_ROLLBACK_ACKNOWLEDGED, facts=facts)
    outside.write_acknowledgement(found.root, str(by.person_id), json.dumps(envelope))
    persons = len(acknowledged_by(found))
    if persons >= PERSONS:
        _give_up(found)
    return persons


def acknowledged_by(found: Rollback) -> set[str]:
    """Return the persons whose acknowledgement of this rollback the worker's key signed."""
    persons = set()
    for path in outside.acknowledgements(found.root).glob("*.json"):
        try:
            with path.open("rb") as file:
                body = _open(json.loads(file.read(LARGEST)))
        except (OSError, ValueError, Forged):
            continue
        if (body.get("signed"), body.get("kept"), body.get("root")) == (found.signed, found.kept, found.root):
            persons.add(str(body.get("person")))
    return persons


def _open(envelope: Any) -> dict[str, Any]:
    payload = dsse.open_envelope(envelope, keys.signing_public(), payload_type=PAYLOAD_TYPE)
    body: dict[str, Any] = json.loads(payload)
    if body.get("type") != "veeamsec-acknowledgement" or body.get("version") != 1:
        raise Forged("This is no acknowledgement.")
    return body


def _give_up(found: Rollback) -> None:
    # The newest last: until it is aside, the rollback is still found.
    for path in sorted(found.notes, key=outside.size_of):
        outside.put_aside(path, found.root)
    with act(by=WORKER, subject=SUBJECT):
        resolve_alarm_within(Kind.LOG_ROLLED_BACK, SUBJECT)
        resolve_alarm_within(Kind.LOG_ALTERED, SUBJECT)


def _heads() -> Iterator[tuple[note.Head, Path]]:
    """Every note outside that our key signed, newest first; the periodic verification tells of the others."""
    verifier = None
    for path in outside.newest_first():
        verifier = verifier or keys.log_verifier(keys.signing_public())
        try:
            yield note.open_checkpoint(outside.read(path), verifier), path
        except Forged:
            continue


def _measure(newest: note.Head) -> Rollback | None:
    heads = sorted(_heads(), key=lambda pair: pair[0].size)
    frontier, kept, beyond = merkle.Frontier(), 0, []
    rows = Entry.objects.order_by("sequence").values_list("canonical", flat=True).iterator(chunk_size=2000)
    for head, path in heads:
        while frontier.size < head.size and (canonical := next(rows, None)) is not None:
            frontier.append(merkle.leaf_hash(bytes(canonical)))
        if frontier.size == head.size and frontier.root() == head.root:
            kept = head.size
        else:
            beyond.append(path)
    if not beyond:
        return None
    return Rollback(newest.size, newest.root.hex(), kept, tuple(beyond))
