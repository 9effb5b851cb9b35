"""What a rotation of the worker's master key goes through: every sealed column, in bounded batches."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import BinaryField, F, Func, Value

from encryption.crypto.seal import MasterKey
from encryption.errors import SealBroken
from encryption.models import MasterRotation
from encryption.services import forwarding, protection, resting, vault
from encryption.services.resting import Column
from encryption.services.rotating import Rest, Told
from encryption.services.veeam import servers

COLUMNS: tuple[Column, ...] = (*vault.COLUMNS, protection.COLUMN, servers.COLUMN, forwarding.COLUMN)

# So many rows are locked at once, for some tens of milliseconds.
BATCH = 500
# Shorter than PostgreSQL's deadlock_timeout of a second: whoever writes is never the one that is cancelled.
_PATIENCE = "500ms"


def rest() -> Rest:
    """Return what rests under the worker's master key."""
    return Rest(MasterRotation.Process.WORKER, settings.WORKER_KEYS, _reseal, _count, _still)


def _reseal(former: MasterKey, key: MasterKey, told: Told) -> tuple[int, list[str]]:
    """Seal anew what is under the former key; each batch is a transaction of its own."""
    moved, stuck = 0, []
    for column in COLUMNS:
        last = None
        while True:
            last, done, broken = _batch(column, former, key, last)
            moved += done
            stuck += broken
            if last is None:
                break
            told(f"{moved:,} sealed anew ({column.table})")
    return moved, stuck


def _batch(column: Column, former: MasterKey, key: MasterKey, last: Any) -> tuple[Any, int, list[str]]:
    """Seal the next rows anew; returns the last one's key, None at the end, how many, and what is broken."""
    anew, broken = [], []
    with transaction.atomic():
        rows = _under(column, former.mark).select_for_update(of=("self",)).order_by("pk")
        found = list(rows[:BATCH] if last is None else rows.filter(pk__gt=last)[:BATCH])
        for row in found:
            try:
                value = resting.opened_by(former, column, row, bytes(getattr(row, column.field)))
            except SealBroken:
                broken.append(f"{column.table} {row.pk}")
            else:
                anew.append((row.pk, resting.sealed(column, row, value, under=key)))
        _store(column, anew)
    return (found[-1].pk if found else None), len(anew), broken


def _store(column: Column, anew: list[tuple[Any, bytes]]) -> None:
    """Write one column of many rows; `bulk_update` takes thirty times as long."""
    if not anew:
        return
    name = connection.ops.quote_name
    with connection.cursor() as cursor:
        # Names are our models' own.
        cursor.execute(
            f"UPDATE {name(column.table)} SET {name(column.field)} = anew.sealed"  # noqa: S608
            " FROM unnest(%s::uuid[], %s::bytea[]) AS anew (pk, sealed)"
            f" WHERE {name(column.table)}.{name(column.key)} = anew.pk",
            [[pk for pk, _ in anew], [sealed for _, sealed in anew]],
        )


def _count(mark: bytes) -> int:
    return sum(_under(column, mark).count() for column in COLUMNS)


def _under(column: Column, mark: bytes) -> models.QuerySet[Any]:
    beginning = Func(
        F(column.field), Value(1), Value(len(mark)), function="substr", output_field=BinaryField()
    )
    return column.model._default_manager.annotate(_mark=beginning).filter(_mark=mark)


@contextmanager
def _still() -> Iterator[None]:
    """Let those who write end, and hold off the others until the caller's transaction ends."""
    tables = ", ".join(sorted({connection.ops.quote_name(column.table) for column in COLUMNS}))
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
        cursor.execute(f"LOCK TABLE {tables} IN SHARE MODE")
    yield
