"""What rests sealed under the worker's master key: each column says what its values are bound to.

Every such column is declared by its owner and gathered in `keyring`; a test walks all models, so that none
is forgotten by a rotation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import models
from django.views.decorators.debug import sensitive_variables

from encryption.crypto import providers, seal
from encryption.crypto.seal import MasterKey
from encryption.errors import OtherKey


@dataclass(frozen=True)
class Column:
    """One column of sealed values; table and row are bound as well."""

    model: type[models.Model]
    field: str
    purpose: Callable[[Any], str]
    version: Callable[[Any], int] = lambda row: 1

    @property
    def table(self) -> str:
        """Return the name of the table."""
        return self.model._meta.db_table

    @property
    def key(self) -> str:
        """Return the column of the primary key."""
        return str(self.model._meta.pk.column)


@sensitive_variables("value")
def sealed(column: Column, row: models.Model, value: bytes, *, under: MasterKey | None = None) -> bytes:
    """Return `value` sealed for a row, saved or not, under the key in force or the one given.

    Raises KeysAway, KeyMaterialError.
    """
    master = under or providers.load_master(settings.WORKER_KEYS)
    purpose, version = column.purpose(row), column.version(row)
    return seal.seal(master, value, table=column.table, row=row.pk, purpose=purpose, version=version)


def opened(column: Column, row: models.Model) -> bytes:
    """Return the value that a row holds sealed. Raises SealBroken, KeysAway, KeyMaterialError."""
    held = bytes(getattr(row, column.field))
    try:
        return opened_by(providers.key_of(settings.WORKER_KEYS, held), column, row, held)
    except OtherKey:
        # A rotation may have ended between the reading of the row and that of the key.
        stored = column.model._default_manager.filter(pk=row.pk).values_list(column.field, flat=True).first()
        if stored is None or bytes(stored) == held:
            raise
        again = bytes(stored)
        return opened_by(providers.key_of(settings.WORKER_KEYS, again), column, row, again)


def opened_by(master: MasterKey, column: Column, row: models.Model, held: bytes) -> bytes:
    """Return what `held` seals for a row under one key. Raises SealBroken."""
    purpose, version = column.purpose(row), column.version(row)
    return seal.open(master, held, table=column.table, row=row.pk, purpose=purpose, version=version)
