"""A new master key under the same guard, and the former beside it until nothing rests under that any more.

`master.next` is the new key while the database does not know of it, `master.former` the old one after the
new took its place in `master.key`. Both have that file's form. At every instant each key that anything is
sealed under lies in one of them, and a reader that begins with the value and then asks for its key finds it.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from encryption.crypto.providers import choice
from encryption.crypto.providers.files import FileKeys, erase, sync_folder
from encryption.crypto.providers.master import MASTER, load_master, open_text, text_of
from encryption.crypto.seal import MasterKey
from encryption.errors import KeyMaterialError, RotationHeld

NEXT, FORMER = "master.next", "master.former"
_LOCK = ".rotation.lock"


def key_of(folder: Path, sealed: bytes) -> MasterKey:
    """Return the key that a sealed value names: the one in force, or during a rotation the former.

    For a value that names neither it is the one in force, which then says so. Raises as `load_master`.
    """
    current = load_master(folder)
    if sealed.startswith(current.mark):
        return current
    former = load_former(folder)
    return former if former is not None and sealed.startswith(former.mark) else current


def load_former(folder: Path) -> MasterKey | None:
    """Return the former key while a rotation keeps it. Raises KeysAway, KeyMaterialError."""
    try:
        return _read(folder, FORMER)
    except KeyMaterialError:
        if (folder / FORMER).exists():
            raise
        return None


def is_unfinished(folder: Path) -> bool:
    """Say whether a rotation began here and its former key is not destroyed yet."""
    return (folder / NEXT).exists() or (folder / FORMER).exists()


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Return a block in which no other process rotates or moves this folder's key. Raises RotationHeld."""
    try:
        with FileKeys(folder).locked(_LOCK, wait=False):
            yield
    except BlockingIOError:
        raise RotationHeld("Another process rotates or moves this key: wait for its end.") from None


def check_finished(folder: Path) -> None:
    """Refuse what must not happen between the two keys of a rotation. Raises RotationHeld."""
    if is_unfinished(folder):
        raise RotationHeld("A rotation of this key is unfinished: `manage.py keys rotate` ends it first.")


def prepare(folder: Path) -> tuple[MasterKey, MasterKey]:
    """Return the former and the new key, the new one made and durable; called again, they are the same.

    Raises RotationHeld where systemd hands the key over, KeysAway, KeyMaterialError.
    """
    if choice.address() == choice.SYSTEMD:
        raise RotationHeld(
            "systemd hands this key over and takes none: `manage.py keys move` it to a file or a guard,"
            " rotate it there, and bring the new one back."
        )
    current, former = load_master(folder), load_former(folder)
    if former is not None and former != current:
        return former, current
    # What a killed process wrote and did not name yet is a copy of a key.
    for part in folder.glob(f"{NEXT}.*.part"):
        part.unlink()
    if not (folder / NEXT).exists():
        _make(folder)
    return current, _read(folder, NEXT)


def switch(folder: Path) -> None:
    """Put the new key in force and keep the former beside it; done before, nothing happens."""
    if not (folder / NEXT).exists():
        return
    with contextlib.suppress(FileExistsError):
        os.link(folder / MASTER, folder / FORMER)
    sync_folder(folder)
    (folder / NEXT).rename(folder / MASTER)
    sync_folder(folder)


def destroy(folder: Path) -> None:
    """Destroy the former key; done before, nothing happens. The caller has proved that nothing needs it."""
    erase(folder / FORMER)


def _make(folder: Path) -> None:
    key, said = MasterKey(os.urandom(32)), choice.address()
    FileKeys(folder).make(NEXT, text_of(key, folder, said))
    if _read(folder, NEXT) != key:
        erase(folder / NEXT)
        raise KeyMaterialError(f"What {choice.keeper()} gives back is another key: nothing was changed.")


def _read(folder: Path, name: str) -> MasterKey:
    return open_text(FileKeys(folder).read(name), folder, choice.address(), name)
