"""Rotation of a master key: a new one, everything sealed anew, the former destroyed once nothing needs it.

Killed anywhere, the next call goes on: where it stands is told by the key files and by the values themselves,
which name their key. Processes that work meanwhile ask for the key at each use, so they need no restart; a
value that one of them sealed under the former key is found by the next pass, or refused by the database once
that key is retired.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from django.db import OperationalError
from django.utils import timezone

from audit import services as audit
from audit.events import Event
from encryption.crypto import providers
from encryption.crypto.providers import rotating
from encryption.crypto.seal import MasterKey
from encryption.errors import KeyMaterialError, RotationHeld
from encryption.models import MasterRotation

Told = Callable[[str], None]

# PostgreSQL's lock_not_available: somebody writes just now.
_BUSY = "55P03"
_TRIES, _PAUSE_SECONDS = 60, 0.5
_SHOWN = 5


@dataclass(frozen=True)
class Rest:
    """What rests under one process's master key, and how it is sealed anew."""

    process: str
    folder: Path
    # From the former key to the new one; returns how many, and which values do not open where they stand.
    reseal: Callable[[MasterKey, MasterKey, Told], tuple[int, list[str]]]
    # How many values begin with a key's mark.
    count: Callable[[bytes], int]
    # A block in which nobody else stores a sealed value.
    still: Callable[[], AbstractContextManager[None]]


def rotate(rest: Rest, *, told: Told) -> MasterRotation:
    """Begin a rotation or go on with one, to its end.

    Raises KeysAway, KeyMaterialError; RotationHeld where values do not open, or another process is at it. The
    former key then stays, and the next call goes on.
    """
    with rotating.alone(rest.folder):
        row = MasterRotation.objects.filter(process=rest.process, destroyed_at=None).first()
        if row is None or row.retired_at is None:
            row = _to_the_new_key(rest, row, told)
        _destroy(rest, row)
        return row


def _to_the_new_key(rest: Rest, row: MasterRotation | None, told: Told) -> MasterRotation:
    if row is not None and not rotating.is_unfinished(rest.folder):
        # Key files of another day, beside this database.
        raise KeyMaterialError(
            f"A rotation to the key {row.key} began, but neither {rotating.NEXT} nor {rotating.FORMER} is in"
            f" {rest.folder}: bring that folder back from the backup that belongs to this database."
        )
    former, key = rotating.prepare(rest.folder)
    row = row or _begin(rest, former, key)
    if (row.former, row.key) != (former.id.hex(), key.id.hex()):
        raise KeyMaterialError(f"The keys in {rest.folder} are not those of the rotation that began.")
    rotating.switch(rest.folder)
    total = rest.count(former.mark)
    told(f"{total:,} values rest under the former key")
    while True:
        moved, stuck = rest.reseal(former, key, told)
        if stuck:
            named = ", ".join(stuck[:_SHOWN]) + (", …" if len(stuck) > _SHOWN else "")
            raise RotationHeld(
                f"{len(stuck)} of the values do not open where they stand, so the former key stays: {named}."
                " Enter those secrets anew, or find out who altered the rows; then call this again."
            )
        if _retire(rest, row, former, key):
            return row
        if not moved:
            told("a value was sealed meanwhile; once more")


def _begin(rest: Rest, former: MasterKey, key: MasterKey) -> MasterRotation:
    row = MasterRotation(process=rest.process, former=former.id.hex(), key=key.id.hex())
    with audit.act(by=audit.CONSOLE, subject=row):
        row.save(force_insert=True)
        facts = {"process": row.process, "former": row.former, "key": row.key, "kept_by": providers.keeper()}
        audit.record(Event.MASTER_KEY_ROTATING, facts=facts)
    return row


def _retire(rest: Rest, row: MasterRotation, former: MasterKey, key: MasterKey) -> bool:
    """Retire the former key if nothing is under it; whether it was."""
    for _ in range(_TRIES):
        try:
            with audit.act(by=audit.CONSOLE, subject=row), rest.still():
                if rest.count(former.mark):
                    return False
                row.retired_at = timezone.now()
                row.save(update_fields=["retired_at"])
                facts = {"process": row.process, "former": row.former, "key": row.key}
                audit.record(Event.MASTER_KEY_ROTATED, facts=facts | {"values": rest.count(key.mark)})
            return True
        except OperationalError as error:
            row.retired_at = None
            if getattr(error.__cause__, "sqlstate", None) != _BUSY:
                raise
        time.sleep(_PAUSE_SECONDS)
    raise RotationHeld("Something is written all the time: everything is sealed anew, call this again.")


def _destroy(rest: Rest, row: MasterRotation) -> None:
    """Destroy the former key's file, once more convinced that it opens nothing, and log that."""
    if providers.load_master(rest.folder).id.hex() != row.key:
        raise KeyMaterialError(f"The key in force in {rest.folder} is not {row.key}: nothing was destroyed.")
    former = rotating.load_former(rest.folder)
    if former is not None and (former.id.hex() != row.former or rest.count(former.mark)):
        raise KeyMaterialError("Something rests under the former key again: it was not destroyed.")
    rotating.destroy(rest.folder)
    with audit.act(by=audit.CONSOLE, subject=row):
        row.destroyed_at = timezone.now()
        row.save(update_fields=["destroyed_at"])
        audit.record(Event.MASTER_KEY_DESTROYED, facts={"process": row.process, "former": row.former})
