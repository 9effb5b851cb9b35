"""Signing the log's head: in the worker, with every decision and else each minute that brought news.

A log must never sign two heads that contradict each other: what was signed before, inside and outside the
database, is compared first, and on a difference nothing is signed.
"""

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from audit import keys, merkle, note
from audit.alarms import Kind
from audit.errors import Forged, LogAltered
from audit.models import Alarm, Checkpoint, Entry
from audit.services import outside
from audit.services.alarms import raise_alarm_within
from audit.services.log import act
from audit.statement import WORKER

SUBJECT = "log"


class _Contradiction(Exception):
    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def sign_checkpoint() -> Checkpoint | None:
    """Sign the log as it is and put the note outside; None when there is no news.

    Raises LogAltered, with an alarm, when the log is not what was signed of it before.
    """
    try:
        frontier, signed = _grown()
    except _Contradiction as found:
        with act(by=WORKER, subject=SUBJECT):
            raise_alarm_within(found.kind, SUBJECT, Alarm.Severity.CRITICAL, str(found))
        raise LogAltered(str(found)) from found
    made = None
    if frontier.size > signed:
        key = keys.signing_key()
        head = note.Head(keys.log_verifier(key.public_key()).name, frontier.size, frontier.root())
        made = Checkpoint(
            size=head.size,
            root=head.root.hex(),
            note=note.sign(head.text, head.origin, key),
            frontier=[one.hex() for one in frontier.hashes],
            time=timezone.now(),
        )
        with transaction.atomic():
            made.save(force_insert=True)
    _put_outside()
    return made


def _grown() -> tuple[merkle.Frontier, int]:
    """Return the tree of all entries, grown from the newest checkpoint, and that checkpoint's size."""
    size = _size()
    path = outside.newest()
    if path is not None:
        _compare(_open(outside.read(path), f"the note {path.name}"), size)
    newest = Checkpoint.objects.first()
    if newest is None:
        return _extend(merkle.Frontier(), size), 0
    head = _open(newest.note, f"the checkpoint of {newest.size} entries")
    frontier = _frontier(newest)
    if (head.size, head.root) != (newest.size, frontier.root()) or head.size > size:
        raise _Contradiction(Kind.LOG_ALTERED, f"The checkpoint of {newest.size} entries was altered.")
    return _extend(frontier, size), newest.size


def _size() -> int:
    newest = Entry.objects.aggregate(newest=Max("sequence"))["newest"]
    return 0 if newest is None else newest + 1


def _open(text: str, where: str) -> note.Head:
    try:
        return note.open_checkpoint(text, keys.log_verifier(keys.signing_public()))
    except Forged as error:
        raise _Contradiction(
            Kind.LOG_ALTERED, f"It cannot be shown that we signed {where}: {error}"
        ) from error


def _compare(head: note.Head, size: int) -> None:
    if head.size > size:
        text = f"The log has {size} entries, but {head.size} were signed: the database is an older copy."
        raise _Contradiction(Kind.LOG_ROLLED_BACK, text)
    row = Checkpoint.objects.filter(pk=head.size).first()
    frontier = _frontier(row) if row else _extend(merkle.Frontier(), head.size)
    if frontier.root() == head.root:
        return
    if row is None:
        # Every note had its row first: this database is of a time before, and went on from there.
        text = f"Not this log of {size} entries was signed at {head.size}: the database is an older copy."
        raise _Contradiction(Kind.LOG_ROLLED_BACK, text)
    raise _Contradiction(Kind.LOG_ALTERED, f"The first {head.size} entries are not those that were signed.")


def _frontier(row: Checkpoint) -> merkle.Frontier:
    try:
        return merkle.Frontier(row.size, [bytes.fromhex(one) for one in row.frontier])
    except (ValueError, TypeError) as error:
        text = f"The checkpoint of {row.size} entries was altered."
        raise _Contradiction(Kind.LOG_ALTERED, text) from error


def _extend(frontier: merkle.Frontier, size: int) -> merkle.Frontier:
    new = Entry.objects.filter(sequence__gte=frontier.size, sequence__lt=size).order_by("sequence")
    for sequence, canonical in new.values_list("sequence", "canonical").iterator(chunk_size=2000):
        if sequence != frontier.size:
            raise _Contradiction(Kind.LOG_ALTERED, f"Entry {frontier.size} of the log is missing.")
        frontier.append(merkle.leaf_hash(bytes(canonical)))
    return frontier


def _put_outside() -> None:
    path = outside.newest()
    known = outside.size_of(path) if path else 0
    for row in Checkpoint.objects.filter(size__gt=known).order_by("size").iterator(chunk_size=500):
        outside.write(row.size, row.time, row.note)
