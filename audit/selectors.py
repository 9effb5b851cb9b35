"""Reading the log: entries with their names, the head, proofs, alarms, and when it was last verified."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models import Case, F, QuerySet, Subquery, When

from audit import merkle
from audit.errors import Forged
from audit.events import Event, Severity
from audit.models import Alarm, Checkpoint, Entry, Forwarder
from audit.statement import SYSTEM

# Where the worker leaves the last verification for pages to show.
VERIFIED = "audit:verified"

# What is not resolved, by one word.
OPEN = "open"

# Subtrees of this many leaves or more are kept: they never change once they are whole.
KEPT_SUBTREE = 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with the log."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification of the whole log found; no findings: it is what was written."""

    at: datetime
    seconds: float
    size: int
    root: str
    checkpoints: int
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self) | {"at": self.at.isoformat()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Verification":
        """Return it from what `as_json` made."""
        findings = tuple(Finding(**finding) for finding in value["findings"])
        return cls(**(dict(value) | {"at": datetime.fromisoformat(value["at"]), "findings": findings}))


def entries(
    *,
    event: str | None = None,
    subject: UUID | str | None = None,
    actor: UUID | None = None,
    events: Collection[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[Entry]:
    """Return entries with their names, newest first.

    `event` may end in a dot for all of a family; `events` narrows to those named, `at_least` says to which.
    """
    found = Entry.objects.prefetch_related("names")
    if event:
        found = found.filter(event__startswith=event) if event.endswith(".") else found.filter(event=event)
    if subject:
        found = found.filter(subject_id=str(subject))
    if actor:
        found = found.filter(actor=actor)
    if events is not None:
        found = found.filter(event__in=events)
    if since:
        found = found.filter(time__gte=since)
    if until:
        found = found.filter(time__lt=until)
    return found


def at_least(severity: Severity) -> list[Event]:
    """Return the events that are as grave as this, or graver."""
    order = list(Severity)
    return [event for event in Event if order.index(event.severity) >= order.index(severity)]


def newest(event: str, subject: UUID | str) -> Entry | None:
    """Return the newest entry of an event about a subject."""
    return Entry.objects.filter(event=event, subject_id=str(subject)).first()


def name_of(entry: Entry, key: str = "actor") -> str | None:
    """Return a name that an entry commits to; None when it was erased or never given."""
    if key == "actor" and entry.actor in SYSTEM:
        return SYSTEM[entry.actor].name
    return next((row.name for row in entry.names.all() if row.key == key), None)


def head() -> Checkpoint | None:
    """Return the newest checkpoint."""
    return Checkpoint.objects.first()


def last_verification() -> Verification | None:
    """Return what the worker's last verification found; None when there is none in the cache."""
    value = cache.get(VERIFIED)
    return None if value is None else Verification.from_json(value)


def open_alarms() -> QuerySet[Alarm]:
    """Return alarms whose cause is not gone, newest first."""
    return Alarm.objects.exclude(state=Alarm.State.RESOLVED)


def forwarders() -> QuerySet[Forwarder]:
    """Return forwarders by name; `waiting` is how many entries each has still to send."""
    newest = Subquery(Entry.objects.order_by("-sequence").values("sequence")[:1])
    return Forwarder.objects.annotate(waiting=newest - F("position"))


def alarms(*, state: str | None = None, kind: str | None = None) -> QuerySet[Alarm]:
    """Return alarms: the critical before the others, then the newest first; the ended by their end.

    `state` is one of an alarm's, or `open` for what is not resolved.
    """
    found = Alarm.objects.all()
    if state == OPEN:
        found = open_alarms()
    elif state:
        found = found.filter(state=state)
    if kind:
        found = found.filter(kind=kind)
    if state == Alarm.State.RESOLVED:
        return found.order_by("-resolved_at")
    grave = Case(When(severity=Alarm.Severity.CRITICAL, then=0), default=1)
    return found.order_by(grave, "-raised_at")


def inclusion(sequence: int, checkpoint: Checkpoint) -> list[bytes]:
    """Return the proof that an entry is under a checkpoint; IndexError if it came later, else Forged."""
    leaf = merkle.leaf_hash(bytes(Entry.objects.values_list("canonical", flat=True).get(pk=sequence)))
    root = bytes.fromhex(checkpoint.root)
    try:
        proof = merkle.inclusion_proof(sequence, checkpoint.size, _kept_subtree)
        merkle.verify_inclusion(leaf, sequence, checkpoint.size, proof, root)
    except Forged:
        # What was kept may be of a database that was restored since.
        proof = merkle.inclusion_proof(sequence, checkpoint.size, _subtree)
        merkle.verify_inclusion(leaf, sequence, checkpoint.size, proof, root)
    return proof


def _kept_subtree(start: int, end: int) -> bytes:
    size = end - start
    if size < KEPT_SUBTREE:
        return _subtree(start, end)
    whole = size & (size - 1) == 0
    key = f"audit:subtree:{start}:{end}"
    found: bytes | None = cache.get(key) if whole else None
    if found is None:
        middle = start + (1 << ((size - 1).bit_length() - 1))
        halves = size > KEPT_SUBTREE
        found = (
            merkle.node_hash(_kept_subtree(start, middle), _kept_subtree(middle, end))
            if halves
            else _subtree(start, end)
        )
        if whole:
            cache.set(key, found, None)
    return found


def _subtree(start: int, end: int) -> bytes:
    rows = Entry.objects.filter(sequence__gte=start, sequence__lt=end).order_by("sequence")
    frontier = merkle.Frontier()
    for leaf in rows.values_list("leaf_hash", flat=True).iterator(chunk_size=2000):
        frontier.append(bytes(leaf))
    return frontier.root()
