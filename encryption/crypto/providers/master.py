"""The master key: what rests sealed in the database, and the halves of keysets, open with it alone."""

import os
from pathlib import Path

from encryption.crypto.encoding import from_base64, to_base64
from encryption.crypto.providers.files import FileKeys
from encryption.crypto.seal import MasterKey
from encryption.errors import KeyMaterialError

MASTER = "master.key"

_PREFIX = b"veeamsec-master-1 "


def make_master(folder: Path) -> None:
    """Make the master key of a prepared folder unless it has one, and read it back."""
    FileKeys(folder).make(MASTER, _PREFIX + to_base64(os.urandom(32)).encode() + b"\n")
    load_master(folder)


def load_master(folder: Path) -> MasterKey:
    """Return the key of what rests sealed in the database."""
    text = FileKeys(folder).read(MASTER)
    try:
        if not text.startswith(_PREFIX):
            raise ValueError("another form")
        return MasterKey(from_base64(text[len(_PREFIX) :].decode().removesuffix("\n"), 32))
    except ValueError as error:
        raise KeyMaterialError(
            f"{folder / MASTER} holds no master key: bring it back from its backup."
        ) from error
