"""Private halves: sealed files of the enterprise worker, or keys that a token keeps for it.

Nothing here runs in another process: the folder belongs to the enterprise worker alone.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import UUID

from django.conf import settings

from encryption.crypto import keysets, providers, seal
from encryption.crypto.keysets import Opener
from encryption.crypto.providers.files import erase
from encryption.crypto.seal import MasterKey
from encryption.errors import KeyMaterialError, OtherKey, SealBroken
from encryption.models import MasterRotation
from encryption.services.rotating import Rest, Told
from recovery.errors import UnknownKeyset
from recovery.models import Keyset

_TABLE, _PURPOSE, _VERSION = "recovery_keyset", "private half", 1
_LOCK, _HALF = ".lock", ".key"


def keep(keyset: UUID, private: bytes) -> None:
    """Store a private half, sealed and 0600; what is there already stays."""
    with _alone():
        folder().make(
            f"{keyset}{_HALF}", _sealed(keyset, private, providers.load_master(settings.ENTERPRISE_KEYS))
        )


def kept(keyset: UUID) -> bytes:
    """Return the private half that is stored under an id. Raises KeyMaterialError, SealBroken."""
    try:
        return _opened(keyset)
    except OtherKey:
        # A rotation may have ended between the reading of the file and that of the key.
        return _opened(keyset)


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
    with _alone():
        erase(_path() / f"{keyset}{_HALF}")


def folder() -> providers.FileKeys:
    """Return the folder of private halves, made if it is missing."""
    keys = providers.FileKeys(_path())
    keys.prepare()
    return keys


def _path() -> Path:
    return Path(settings.ENTERPRISE_KEYS) / "keysets"


def rest() -> Rest:
    """Return what rests under the enterprise worker's master key, for its rotation."""
    return Rest(MasterRotation.Process.ENTERPRISE, settings.ENTERPRISE_KEYS, _reseal, _count, _alone)


def _reseal(former: MasterKey, key: MasterKey, told: Told) -> tuple[int, list[str]]:
    """Seal every half that is under the former key anew, each whole or not at all."""
    moved, stuck = 0, []
    for keyset in _halves():
        # One at a time: a keyset that is deleted meanwhile does not come back.
        with _alone():
            name = f"{keyset}{_HALF}"
            if not (_path() / name).exists() or not (sealed := folder().read(name)).startswith(former.mark):
                continue
            try:
                private = _open(keyset, sealed, former)
            except SealBroken:
                stuck.append(f"the private half {keyset}")
                continue
            folder().replace(name, _sealed(keyset, private, key))
        moved += 1
        told(f"{moved:,} private halves sealed anew")
    return moved, stuck


def _count(mark: bytes) -> int:
    return sum(folder().read(f"{keyset}{_HALF}").startswith(mark) for keyset in _halves())


def _halves() -> Iterator[UUID]:
    for path in sorted(_path().glob(f"*{_HALF}")):
        yield UUID(path.name.removesuffix(_HALF))


def _alone() -> AbstractContextManager[None]:
    """Return a block in which no other process writes or removes a private half."""
    return folder().locked(_LOCK)


def _opened(keyset: UUID) -> bytes:
    sealed = folder().read(f"{keyset}{_HALF}")
    return _open(keyset, sealed, providers.key_of(settings.ENTERPRISE_KEYS, sealed))


def _open(keyset: UUID, sealed: bytes, master: MasterKey) -> bytes:
    return seal.open(master, sealed, table=_TABLE, row=keyset, purpose=_PURPOSE, version=_VERSION)


def _sealed(keyset: UUID, private: bytes, master: MasterKey) -> bytes:
    return seal.seal(master, private, table=_TABLE, row=keyset, purpose=_PURPOSE, version=_VERSION)
