"""A master key moves from one provider to another: written, read back and compared before the old goes.

Killed anywhere, the key opens under the one or the other, and the next call ends what was begun. The key
stays the same, so nothing that rests under it is touched; copies of the disk from before still hold it.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from encryption.crypto.providers import choice, rotating
from encryption.crypto.providers.files import FileKeys, sync_folder, write_new
from encryption.crypto.providers.master import MASTER, load_master, open_text, text_of
from encryption.crypto.seal import MasterKey
from encryption.errors import KeyMaterialError, KeysAway

_PART = "master.moving"


def move(folder: Path, before: str, after: str) -> bool:
    """Bring a key folder's master key from one provider to another; False where it was there already.

    To systemd nothing can be written: its credential must be there, and hold the same key. Raises KeysAway,
    KeyMaterialError; the key is then where it was. RotationHeld while a rotation of it is unfinished.
    """
    with rotating.alone(folder):
        rotating.check_finished(folder)
        return _move(folder, before, after)


def _move(folder: Path, before: str, after: str) -> bool:
    with contextlib.suppress(FileNotFoundError):
        (folder / _PART).unlink()
    lies_in_file = (folder / MASTER).exists()
    if after == choice.SYSTEMD:
        key = load_master(folder, said=before if lies_in_file else after)
        return lies_in_file and _to_systemd(folder, key)
    there = _opened(folder, after) if lies_in_file else None
    if there is not None:
        if before == choice.SYSTEMD:
            _compare(load_master(folder, said=before), there, after)
        return False
    key = load_master(folder, said=before)
    write_new(folder / _PART, text_of(key, folder, after), 0o600)
    _compare(key, open_text(FileKeys(folder).read(_PART), folder, after), after)
    with _old(folder) if lies_in_file else contextlib.nullcontext():
        (folder / _PART).rename(folder / MASTER)
        sync_folder(folder)
        _compare(key, load_master(folder, said=after), after)
    return True


def _to_systemd(folder: Path, key: MasterKey) -> bool:
    _compare(key, load_master(folder, said=choice.SYSTEMD), choice.SYSTEMD)
    with _old(folder):
        (folder / MASTER).unlink()
        sync_folder(folder)
    return True


def _opened(folder: Path, after: str) -> MasterKey | None:
    """Return the key where its file has the new provider's form: a former move went so far."""
    try:
        return load_master(folder, said=after)
    except (KeyMaterialError, KeysAway):
        return None


def _compare(key: MasterKey, found: MasterKey, said: str) -> None:
    if found != key:
        raise KeyMaterialError(f"What {choice.kind_of(said)} gives back is another key: nothing was removed.")


@contextlib.contextmanager
def _old(folder: Path) -> Iterator[None]:
    """Write over the file that a block takes out of the folder: on many disks that is all that helps."""
    with (folder / MASTER).open("r+b") as file:
        yield
        status = os.fstat(file.fileno())
        # Another name for it is somebody's copy.
        if status.st_nlink == 0:
            file.write(os.urandom(status.st_size))
            file.flush()
            os.fsync(file.fileno())
