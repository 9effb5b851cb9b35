"""What opens data files: the keyring with a password's root, or storage keys that a recovery gave."""

from collections.abc import Collection, Mapping
from typing import Protocol
from uuid import UUID

from encryption.engines.native.folder import JobFolder
from encryption.engines.native.keylines import KeyringKeys
from encryption.engines.native.keyring import Roots
from encryption.errors import MissingKeyLine


class StorageKeys(Protocol):
    """Whoever gives a data file's storage key."""

    def storage_key(self, restore_point: UUID, storage_key: UUID) -> bytes:
        """Return a data file's storage key; raises EngineError."""

    def storage_keys(self, wanted: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], bytes]:
        """Return those storage keys of several data files that are there and open."""


class GivenKeys:
    """Storage keys that a recovery gave: they open their restore points without any password."""

    def __init__(self, keys: Mapping[UUID, bytes]) -> None:
        self._keys = dict(keys)

    def storage_key(self, restore_point: UUID, storage_key: UUID) -> bytes:
        """Return a data file's storage key; raises MissingKeyLine."""
        try:
            return self._keys[storage_key]
        except KeyError:
            raise MissingKeyLine(
                f"The recovery does not carry the key of restore point {restore_point}: ask for it too."
            ) from None

    def storage_keys(self, wanted: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], bytes]:
        """Return those storage keys of several data files that the recovery gave."""
        return {pair: self._keys[pair[1]] for pair in wanted if pair[1] in self._keys}


# The root of a keyring by its head, or the keys themselves.
Opens = Roots | GivenKeys


def ring_of(folder: JobFolder, opens: Opens | None) -> StorageKeys | None:
    """Return what gives the storage keys of a folder's data files; None for plain ones."""
    if opens is None or isinstance(opens, GivenKeys):
        return opens
    return KeyringKeys(folder, opens)
