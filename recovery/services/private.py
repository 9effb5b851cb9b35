"""Private halves: sealed files of the enterprise worker, or keys that a token keeps for it.

Nothing here runs in another process: the folder belongs to the enterprise worker alone.
"""

import os
from pathlib import Path
from uuid import UUID

from django.conf import settings

from encryption.crypto import keysets, providers, seal
from encryption.crypto.keysets import Opener
from encryption.errors import KeyMaterialError
from recovery.errors import UnknownKeyset
from recovery.models import Keyset

_TABLE, _PURPOSE, _VERSION = "recovery_keyset", "private half", 1


def keep(keyset: UUID, private: bytes) -> None:
    """Store a private half, sealed and 0600; what is there already stays."""
    master = providers.load_master(settings.ENTERPRISE_KEYS)
    sealed = seal.seal(master, private, table=_TABLE, row=keyset, purpose=_PURPOSE, version=_VERSION)
    folder().make(f"{keyset}.key", sealed)


def kept(keyset: UUID) -> bytes:
    """Return the private half that is stored under an id. Raises KeyMaterialError, SealBroken."""
    master = providers.load_master(settings.ENTERPRISE_KEYS)
    sealed = folder().read(f"{keyset}.key")
    return seal.open(master, sealed, table=_TABLE, row=keyset, purpose=_PURPOSE, version=_VERSION)


def half_of(keyset: Keyset) -> bytes:
    """Return a keyset's private half. Raises UnknownKeyset, KeyMaterialError, SealBroken."""
    if keyset.state == Keyset.State.DELETED or not keyset.own:
        raise UnknownKeyset(f"{keyset} is not held here any more.")
    private = kept(keyset.pk)
    if keysets.public_of(keyset.suite, private) != bytes(keyset.public):
        raise KeyMaterialError(f"The private half of {keyset} belongs to another keyset.")
    return private


def opener_of(keyset: Keyset) -> Opener:
    """Return what opens keys that were wrapped for a keyset. Raises as `half_of` does."""
    return keysets.opener(keyset.suite, half_of(keyset))


def forget(keyset: UUID) -> None:
    """Remove a private half for good."""
    path = _path() / f"{keyset}.key"
    if path.exists():
        # Written over first: on many disks that is all that helps.
        with path.open("r+b") as file:
            file.write(os.urandom(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()


def folder() -> providers.FileKeys:
    """Return the folder of private halves, made if it is missing."""
    keys = providers.FileKeys(_path())
    keys.prepare()
    return keys


def _path() -> Path:
    return Path(settings.ENTERPRISE_KEYS) / "keysets"
