"""Verifying the whole log: every byte of every entry, every name, every checkpoint inside and outside."""

import heapq
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from audit import keys, merkle, note, selectors, statement
from audit.alarms import Kind
from audit.errors import Forged
from audit.events import Event
from audit.models import Alarm, Checkpoint, Entry, EntryName
from audit.selectors import VERIFIED, Finding, Verification
from audit.services import outside
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from audit.services.log import act
from audit.statement import WORKER, Draft

SUBJECT = "log"
CHUNK = 2000
# A log that was rewritten is wrong everywhere; this many places are enough to say so.
MOST_FINDINGS = 100
# Twenty times as long as a verification took passes before the next.
IDLE = 20


@dataclass
class _Walk:
    """The state of one verification."""

    findings: list[Finding] = field(default_factory=list)
    frontier: merkle.Frontier = field(default_factory=merkle.Frontier)
    expected: int = 0
    checkpoints: int = 0

    def find(self, where: str, what: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(where, what))


def verify() -> Verification:
    """Recompute the log and compare it with all that was signed of it; nothing is written."""
    walk, at, began = _Walk(), timezone.now(), time.monotonic()
    # Heads first: entries that come meanwhile do no harm, checkpoints of them would.
    heads = _Heads(walk)
    heads.compare()
    for entry, names in _with_names():
        _check_entry(walk, entry, names)
        heads.compare()
    heads.finish()
    return Verification(
        at=at,
        seconds=time.monotonic() - began,
        size=walk.frontier.size,
        root=walk.frontier.root().hex(),
        checkpoints=walk.checkpoints,
        findings=tuple(walk.findings),
    )


def verify_when_due() -> Verification:
    """Verify and tell, unless the last time is so near that a long log would keep a worker busy with it."""
    last = selectors.last_verification()
    if last is not None and timezone.now() - last.at < IDLE * timedelta(seconds=last.seconds):
        return last
    return verify_and_tell()


def verify_and_tell() -> Verification:
    """Verify in the worker: the result is shown on pages, and an alarm is raised or ended."""
    result = verify()
    cache.set(VERIFIED, result.as_json(), None)
    open_alarms = Alarm.objects.filter(kind=Kind.LOG_ALTERED).exclude(state=Alarm.State.RESOLVED)
    if bool(result.findings) == open_alarms.exists():
        return result
    with act(by=WORKER, subject=SUBJECT):
        if result.findings:
            first = result.findings[0]
            text = f"The log is not what was written. {first.where}: {first.what}"
            raise_alarm_within(Kind.LOG_ALTERED, SUBJECT, Alarm.Severity.CRITICAL, text)
        else:
            resolve_alarm_within(Kind.LOG_ALTERED, SUBJECT)
    return result


def _with_names() -> Iterator[tuple[Entry, list[EntryName]]]:
    rows = EntryName.objects.order_by("entry_id").iterator(chunk_size=CHUNK)
    grouped = groupby(rows, key=lambda row: row.entry_id)
    ahead: tuple[int, list[EntryName]] | None = None
    for entry in Entry.objects.order_by("sequence").iterator(chunk_size=CHUNK):
        while ahead is None or ahead[0] < entry.sequence:
            number, group = next(grouped, (None, iter(())))
            if number is None:
                ahead = (1 << 63, [])
                break
            ahead = (number, list(group))
        yield entry, ahead[1] if ahead[0] == entry.sequence else []


def _check_entry(walk: _Walk, entry: Entry, names: list[EntryName]) -> None:
    where = f"entry {entry.sequence}"
    if entry.sequence != walk.expected:
        missing = f"{walk.expected} to {entry.sequence - 1}"
        walk.find(where, f"entries {missing} are missing before it")
    walk.expected = entry.sequence + 1
    canonical = bytes(entry.canonical)
    leaf = merkle.leaf_hash(canonical)
    walk.frontier.append(leaf)
    if leaf != bytes(entry.leaf_hash):
        walk.find(where, "the leaf hash is not that of its bytes")
    try:
        # What is written anew from the columns is canonical; bytes that equal it are, too.
        body = json.loads(canonical)
        if _rebuilt(entry, body) != canonical:
            walk.find(where, "the columns say something else than the bytes")
        _check_names(walk, where, body, names)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        walk.find(where, "the bytes cannot be read")


def _rebuilt(entry: Entry, body: dict[str, Any]) -> bytes:
    """Write the entry anew from its columns; commitments, and numbers of unknown events, are taken over."""
    known = {event.value: event.number for event in Event}
    draft = Draft(
        event=entry.event,  # type: ignore[arg-type]
        actor=entry.actor,
        person=entry.person,
        subject_type=entry.subject_type,
        subject_id=entry.subject_id,
        facts=entry.facts,
        names={},
    )
    return statement.canonical(
        draft,
        sequence=entry.sequence,
        time=entry.time,
        commitments=body["names"],
        number=known.get(entry.event, body["number"]),
    )


def _check_names(walk: _Walk, where: str, body: dict[str, Any], names: Iterable[EntryName]) -> None:
    commitments = dict(body["names"])
    for row in names:
        promised = commitments.pop(row.key, None)
        if promised is None:
            walk.find(where, f"the name {row.key!r} was added")
        elif row.name is None or row.salt is None:
            continue
        elif statement.commitment(bytes(row.salt), row.name) != promised:
            walk.find(where, f"the name {row.key!r} was changed")
    for key in commitments:
        walk.find(where, f"the name {key!r} is gone, and not by erasure")


class _Heads:
    """All signed heads by size, those of the database and those outside, compared as the tree grows."""

    def __init__(self, walk: _Walk) -> None:
        self._walk = walk
        self._verifier = keys.log_verifier(keys.signing_public())
        newest = Checkpoint.objects.first()
        rows = Checkpoint.objects.filter(size__lte=newest.size if newest else 0).order_by("size")
        inside = ((row.size, f"checkpoint {row.size}", row.note) for row in rows.iterator(chunk_size=CHUNK))
        files = list(outside.paths())
        notes = ((outside.size_of(path), f"note {path.name}", outside.read(path)) for path in files)
        self._heads = heapq.merge(inside, notes, key=lambda head: head[0])
        self._next = next(self._heads, None)

    def compare(self) -> None:
        """Compare every head of the tree's present size."""
        while self._next is not None and self._next[0] <= self._walk.frontier.size:
            size, where, text = self._next
            self._next = next(self._heads, None)
            self._walk.checkpoints += 1
            try:
                head = note.open_checkpoint(text, self._verifier)
            except Forged as error:
                self._walk.find(where, str(error))
                continue
            if head.size != size:
                self._walk.find(where, f"it speaks of {head.size} entries")
            elif head.size == self._walk.frontier.size and head.root != self._walk.frontier.root():
                self._walk.find(where, f"the first {size} entries are not those that were signed")

    def finish(self) -> None:
        """Whatever is signed beyond the end of the log was cut off, or the database is an older copy."""
        while self._next is not None:
            size, where, _ = self._next
            self._next = next(self._heads, None)
            self._walk.checkpoints += 1
            self._walk.find(where, f"{size} entries were signed, the log ends at {self._walk.frontier.size}")
