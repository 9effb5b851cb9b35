"""A job's keyring under another password: all of it or nothing, at every instant exactly one password.

The new keyring is streamed into a part file, proved there line by line, and renamed over the old one.
Killed anywhere, the next call reads from the keyring itself which user key it names: the new one is
verified and done, the old one is begun again.

Where nobody knows the old password the keys come from a recovery (`regaining`): then there is nothing to show
about the old one but that its head is gone.
"""

import hmac
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple
from uuid import UUID

from encryption.crypto import kdf
from encryption.crypto.wrap import KeyWrapper
from encryption.engines.native import regaining
from encryption.engines.native.batches import Batch, read_batches
from encryption.engines.native.folder import KEYRING, JobFolder, open_folder
from encryption.engines.native.keylines import FileState, fingerprint_of, open_keyring, unwrap_all
from encryption.engines.native.keyring import KeyringHead, new_head, read_head
from encryption.engines.native.opening import GivenKeys
from encryption.engines.native.part import Part, clean_up
from encryption.errors import KeyringExists, ProofFailed

Progress = Callable[[int], None]
# From lines to those that go on, with their storage keys.
Take = Callable[[Batch], tuple[Batch, list[bytes]]]


class _Old(NamedTuple):
    """What must no longer open anything."""

    root: bytes
    wrapper: KeyWrapper


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
        return _open_all(folder, root, head)


def rekey(
    path: Path,
    *,
    old_root: bytes | GivenKeys,
    new_root: bytes,
    new_user_key: UUID,
    new_kdf: kdf.KdfParameters,
    progress: Progress | None = None,
) -> KeyringHead:
    """Put the keyring in `path` under the new root and return its head; callable again after any kill.

    In place of the old root stand the keys that a recovery gave, each tried at its data file. `progress` gets
    the count of lines proved so far. Raises WrongPassword when the keyring is under neither root,
    DamagedKeyring for a bad line, MissingKeyLine for a key that was not given, ProofFailed; whatever is
    raised before the rename left the keyring as it was.
    """
    with open_folder(path) as folder, folder.locked():
        clean_up(folder)
        with open_keyring(folder) as (current, file):
            if current.user_key == new_user_key:
                current.open(new_root)
                # The rename may have been seen by a reader and still not be durable.
                folder.sync()
                return _open_all(folder, new_root, current)
            old, take = _source(folder, current, old_root, new_root)
            head = planned_head(current, root=new_root, user_key=new_user_key, parameters=new_kdf)
            before = fingerprint_of(file)
            with Part(folder, KEYRING) as part:
                count = _stream(file, part, head, take, new_root)
                part.sync()
                proved = _prove(part, head, count, new_root=new_root, old=old, progress=progress)
                before.refuse_change(folder)
                if progress is not None:
                    # The last chance to stop for a worker whose step was taken over meanwhile.
                    progress(count)
                part.rename()
        return _read_back(folder, head, proved)


def _source(
    folder: JobFolder, current: KeyringHead, old_root: bytes | GivenKeys, new_root: bytes
) -> tuple[_Old | None, Take]:
    if isinstance(old_root, GivenKeys):
        return None, partial(regaining.take, folder, old_root)
    old = _Old(old_root, KeyWrapper(current.open(old_root)))
    if hmac.compare_digest(old_root, new_root):
        raise ProofFailed("The new password is the old one: nothing would change.")
    return old, lambda batch: (batch, batch.keys(old.wrapper, batch.places(current)))


def _stream(file: BinaryIO, part: Part, head: KeyringHead, take: Take, new_root: bytes) -> int:
    new, count = KeyWrapper(kdf.user_key(new_root, head.job, head.user_key)), 0
    part.write(head.raw + b"\n")
    for batch in read_batches(file):
        kept, keys = take(batch)
        if keys:
            part.write(kept.lines(new.wrap_many(keys, kept.places(head))))
        count += len(keys)
    return count


def _prove(
    part: Part, head: KeyringHead, count: int, *, new_root: bytes, old: _Old | None, progress: Progress | None
) -> FileState:
    """Read the part back: the new root opens its head and every line, the old password neither.

    Returns what was proved, byte for byte.
    """
    with part.reopened() as file:
        state = fingerprint_of(file)
        found = read_head(file)
        still_old = old is not None and found.commits_to(old.root)
        if found != head or still_old or not found.commits_to(new_root):
            raise ProofFailed("The new keyring's head does not answer to the new password alone.")
        new, proved = KeyWrapper(found.open(new_root)), 0
        for batch in read_batches(file):
            places = batch.places(found)
            batch.keys(new, places)
            if old is not None and (opens := old.wrapper.opened(batch.wrapped, places)):
                number = batch.first + opens[0]
                raise ProofFailed(f"Line {number} of the new keyring still opens with the old password.")
            proved += len(places)
            if progress is not None:
                progress(proved)
        if proved != count:
            raise ProofFailed(f"The new keyring has {proved} lines where the old one has {count}.")
        return state


def _read_back(folder: JobFolder, expected: KeyringHead, proved: FileState) -> KeyringHead:
    """Open the keyring by its name: it is the one that was proved, to the last byte."""
    with open_keyring(folder) as (head, file):
        if head != expected or fingerprint_of(file) != proved:
            raise ProofFailed("The keyring that was read back is not the one that was written.")
        return head


def _open_all(folder: JobFolder, root: bytes, expected: KeyringHead) -> KeyringHead:
    with open_keyring(folder) as (head, file):
        if head != expected:
            raise ProofFailed("The keyring that was read back is not the one that was written.")
        unwrap_all(head, file, head.open(root))
        os.fsync(file.fileno())
        return head
