"""A job's keyring under another password: all of it or nothing, at every instant exactly one password.

The new keyring is streamed into a part file, proved there line by line, and renamed over the old one.
Killed anywhere, the next call reads from the keyring itself which user key it names: the new one is
verified and done, the old one is begun again.
"""

import hmac
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple
from uuid import UUID

from encryption.crypto import kdf
from encryption.crypto.wrap import KeyWrapper
from encryption.engines.native.folder import KEYRING, JobFolder, open_folder
from encryption.engines.native.keylines import (
    checked_line,
    fingerprint_of,
    open_keyring,
    storage_place,
    unwrap_all,
)
from encryption.engines.native.keyring import KeyLine, KeyringHead, new_head, read_head, read_lines
from encryption.engines.native.part import Part, clean_up
from encryption.errors import DamagedKeyring, KeyringExists, ProofFailed, WrongKey

Progress = Callable[[int], None]
_PROGRESS_LINES = 1000


class _Old(NamedTuple):
    """What must no longer open anything."""

    root: bytes
    wrapper: KeyWrapper

    def opens(self, line: KeyLine, place: bytes) -> bool:
        try:
            self.wrapper.unwrap(line.wrapped, place)
        except WrongKey:
            return False
        return True


def planned_head(
    current: KeyringHead, *, root: bytes, user_key: UUID, parameters: kdf.KdfParameters
) -> KeyringHead:
    """Return the head that a re-key of `current` will write; an order can so name its fingerprint before."""
    return new_head(
        current.job,
        root=root,
        user_key=user_key,
        parameters=parameters,
        generation=current.generation + 1,
    )


def activate(path: Path, *, root: bytes, user_key: UUID, parameters: kdf.KdfParameters) -> KeyringHead:
    """Write a keyring of one line into a job's folder, which is made if missing; again is the same.

    Raises KeyringExists when another keyring is there.
    """
    with open_folder(path, create=True) as folder, folder.locked():
        clean_up(folder)
        head = new_head(folder.job, root=root, user_key=user_key, parameters=parameters)
        if folder.status(KEYRING) is not None:
            with open_keyring(folder) as (found, _file):
                if found != head:
                    raise KeyringExists(
                        f"{path} holds a keyring under user key {found.user_key} already: change its password"
                        " instead of activating."
                    )
        else:
            with Part(folder, KEYRING) as part:
                part.write(head.raw + b"\n")
                part.sync()
                part.rename()
        return _read_back(folder, root, head)


def rekey(
    path: Path,
    *,
    old_root: bytes,
    new_root: bytes,
    new_user_key: UUID,
    new_kdf: kdf.KdfParameters,
    progress: Progress | None = None,
) -> KeyringHead:
    """Put the keyring in `path` under the new root and return its head; callable again after any kill.

    `progress` gets the count of lines proved so far. Raises WrongPassword when the keyring is under neither
    root, DamagedKeyring for a bad line, ProofFailed; whatever is raised before the rename left the keyring
    as it was.
    """
    with open_folder(path) as folder, folder.locked():
        clean_up(folder)
        with open_keyring(folder) as (current, file):
            if current.user_key == new_user_key:
                current.open(new_root)
                # The rename may have been seen by a reader and still not be durable.
                folder.sync()
                return _read_back(folder, new_root, current)
            old = _Old(old_root, KeyWrapper(current.open(old_root)))
            if hmac.compare_digest(old_root, new_root):
                raise ProofFailed("The new password is the old one: nothing would change.")
            head = planned_head(current, root=new_root, user_key=new_user_key, parameters=new_kdf)
            before = fingerprint_of(file)
            with Part(folder, KEYRING) as part:
                count = _stream(file, part, current, head, old.wrapper, new_root)
                part.sync()
                _prove(part, head, count, new_root=new_root, old=old, progress=progress)
                before.refuse_change(folder)
                if progress is not None:
                    # The last chance to stop for a worker whose step was taken over meanwhile.
                    progress(count)
                part.rename()
        return _read_back(folder, new_root, head)


def _stream(
    file: BinaryIO,
    part: Part,
    current: KeyringHead,
    head: KeyringHead,
    old: KeyWrapper,
    new_root: bytes,
) -> int:
    new = KeyWrapper(kdf.user_key(new_root, head.job, head.user_key))
    part.write(head.raw + b"\n")
    number = 1
    for number, raw in enumerate(read_lines(file), start=2):
        line = checked_line(raw, number)
        ids = line.restore_point, line.storage_key
        try:
            key = old.unwrap(line.wrapped, storage_place(current, *ids))
        except WrongKey as error:
            raise DamagedKeyring(f"Line {number} of the keyring does not open: {error.message}") from error
        part.write(KeyLine(*ids, new.wrap(key, storage_place(head, *ids))).raw())
    return number - 1


def _prove(
    part: Part, head: KeyringHead, count: int, *, new_root: bytes, old: _Old, progress: Progress | None
) -> None:
    """Read the part back: the new root opens its head and every line, the old password neither."""
    with part.reopened() as file:
        found = read_head(file)
        if found != head or found.commits_to(old.root) or not found.commits_to(new_root):
            raise ProofFailed("The new keyring's head does not answer to the new password alone.")
        new = KeyWrapper(found.open(new_root))
        number = 1
        for number, raw in enumerate(read_lines(file), start=2):
            line = checked_line(raw, number)
            place = storage_place(found, line.restore_point, line.storage_key)
            new.unwrap(line.wrapped, place)
            if old.opens(line, place):
                raise ProofFailed(f"Line {number} of the new keyring still opens with the old password.")
            if progress is not None and number % _PROGRESS_LINES == 0:
                progress(number - 1)
        if number - 1 != count:
            raise ProofFailed(f"The new keyring has {number - 1} lines where the old one has {count}.")
    if progress is not None:
        progress(count)


def _read_back(folder: JobFolder, root: bytes, expected: KeyringHead) -> KeyringHead:
    with open_keyring(folder) as (head, file):
        if head != expected:
            raise ProofFailed("The keyring that was read back is not the one that was written.")
        unwrap_all(head, file, head.open(root))
        os.fsync(file.fileno())
        return head
