"""The master key: what rests sealed in the database, and the halves of keysets, open with it alone.

Its file says in its first word whether the key lies there in clear (`veeamsec-master-1`) or guarded
(`veeamsec-master-2`, the guard's kind, the key's id, and what the guard opens). A file of the other form than
the setting names is refused: neither an HSM that was named but never used, nor a guard that was forgotten,
passes for the other. What is wrong with setting or provider is `KeysAway`, so that work waits for a person;
what is wrong with the key itself is `KeyMaterialError`.
"""

import os
from pathlib import Path

from encryption.crypto.encoding import from_base64, to_base64
from encryption.crypto.providers import choice, sources
from encryption.crypto.providers.files import FileKeys
from encryption.crypto.providers.guards import Guard
from encryption.crypto.seal import MasterKey
from encryption.errors import KeyMaterialError, KeysAway

MASTER = "master.key"

_PLAIN, _GUARDED = b"veeamsec-master-1", b"veeamsec-master-2"


def load_master(folder: Path, *, said: str | None = None) -> MasterKey:
    """Return the key of what rests sealed, from the provider that VEEAMSEC_KEYS or `said` names.

    Raises KeysAway while the provider gives nothing, KeyMaterialError for a missing or damaged key.
    """
    said = said or choice.address()
    if said == choice.SYSTEMD:
        name = credential_name(folder)
        return _plain(sources.credential(name), f"The credential {name}")
    return open_text(FileKeys(folder).read(MASTER), folder, said)


def make_master(folder: Path) -> None:
    """Make the master key of a prepared folder unless it has one, and read it back. Raises as `load_master`.

    What systemd hands over is made by `systemd-creds`, so nothing is made for it here.
    """
    said = choice.address()
    if said != choice.SYSTEMD and not (folder / MASTER).exists():
        FileKeys(folder).make(MASTER, text_of(MasterKey(os.urandom(32)), folder, said))
    load_master(folder)


def credential_name(folder: Path) -> str:
    """Return what the credential of a key folder's master key is called, as in `worker-master.key`."""
    return f"{folder.name}-{MASTER}"


def text_of(key: MasterKey, folder: Path, said: str) -> bytes:
    """Return the content of a key's file as a provider keeps it; a guard takes the key. Raises KeysAway."""
    guard = guard_of(said, folder)
    if guard is None:
        return b"%s %s\n" % (_PLAIN, to_base64(key.key).encode())
    fields = guard.kind, key.id.hex(), to_base64(guard.wrap(key.key))
    return b" ".join([_GUARDED, *(field.encode() for field in fields)]) + b"\n"


def open_text(text: bytes, folder: Path, said: str, name: str = MASTER) -> MasterKey:
    """Return the key that the content of a file called `name` holds. Raises KeysAway, KeyMaterialError."""
    guard, where = guard_of(said, folder), f"{folder / name}"
    form = text.partition(b" ")[0]
    if guard is None:
        if form == _GUARDED:
            raise KeysAway(f"{where} is guarded, but {choice.SETTING} names no guard.")
        return _plain(text, where)
    if form == _PLAIN:
        raise KeysAway(
            f"{where} holds the master key in clear, but {choice.SETTING} names a guard: run"
            " `manage.py keys move --from files`."
        )
    return _guarded(text, guard, where)


def guard_of(said: str, folder: Path) -> Guard | None:
    """Return the guard that an address names for a folder. Raises KeysAway for a wrong address."""
    try:
        return choice.guard_of(said, folder)
    except ValueError as error:
        raise KeysAway(f"{choice.SETTING} {error}.") from error


def _plain(text: bytes, where: str) -> MasterKey:
    try:
        form, _, value = text.decode().removesuffix("\n").partition(" ")
        if form.encode() != _PLAIN:
            raise ValueError("another form")
        return MasterKey(from_base64(value, 32))
    except ValueError as error:
        raise KeyMaterialError(f"{where} holds no master key: bring it back from its backup.") from error


def _guarded(text: bytes, guard: Guard, where: str) -> MasterKey:
    try:
        form, kind, key_id, wrapped = text.decode().removesuffix("\n").split(" ")
        if form.encode() != _GUARDED:
            raise ValueError("another form")
        content = from_base64(wrapped)
    except ValueError as error:
        raise KeyMaterialError(f"{where} holds no master key: bring it back from its backup.") from error
    if kind != guard.kind:
        raise KeysAway(f"{where} is guarded by {kind[:20]}, not by {guard.kind}.")
    key = MasterKey(guard.unwrap(content))
    if key.id.hex() != key_id:
        raise KeyMaterialError(f"{guard.kind} gave another key than the one that {where} names.")
    return key
