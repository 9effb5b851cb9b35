"""What readers and writers do with a keyring: look up one storage key, append one, drop some, check all.

Writers hold the folder's lock. A crashed append is cut off before the next one, and a line is durable
before the data file that needs it gets its name.
"""

import hashlib
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from encryption.crypto.wrap import KeyWrapper, associated
from encryption.engines.native.folder import KEYRING, JobFolder
from encryption.engines.native.keyring import (
    LONGEST_LINE,
    KeyLine,
    KeyringHead,
    Roots,
    is_crashed,
    parse_line,
    read_head,
    read_lines,
)
from encryption.engines.native.part import Part
from encryption.errors import DamagedKeyring, KeyringChanged, MissingKeyLine, NoKeyring, WrongJob, WrongKey

_BUFFER = 1024 * 1024


@contextmanager
def open_keyring(folder: JobFolder, *, change: bool = False) -> Iterator[tuple[KeyringHead, BinaryIO]]:
    """Open the keyring by name, positioned after its head; raises NoKeyring, DamagedKeyring, WrongJob."""
    try:
        opened = folder.change(KEYRING) if change else folder.read(KEYRING)
    except FileNotFoundError:
        raise NoKeyring(
            f"{folder.path} holds no keyring; its encrypted files need one from a copy."
        ) from None
    with opened as file:
        head = read_head(file)
        if head.job != folder.job:
            raise WrongJob(f"The keyring in {folder.path} belongs to job {head.job}.")
        yield head, file


def storage_place(head: KeyringHead, restore_point: UUID | str, storage_key: UUID | str) -> bytes:
    """Return what a storage key is bound to under the head's user key."""
    return associated("storage", head.job, restore_point, storage_key, head.user_key)


class KeyringKeys:
    """A keyring that was opened with its root; gives single storage keys."""

    def __init__(self, folder: JobFolder, roots: Roots) -> None:
        self._folder = folder
        self._roots = roots
        self._opened: tuple[KeyringHead, KeyWrapper] | None = None

    def storage_key(self, restore_point: UUID, storage_key: UUID) -> bytes:
        """Return a data file's storage key; raises MissingKeyLine, WrongKey, WrongPassword."""
        with open_keyring(self._folder) as (head, file):
            wrapper = self._wrapper(head)
            place = storage_place(head, restore_point, storage_key)
            refused: WrongKey | None = None
            for line in _lines_of(file, restore_point, storage_key):
                try:
                    return wrapper.unwrap(line.wrapped, place)
                except WrongKey as error:
                    refused = error
        raise refused or MissingKeyLine(
            f"Restore point {restore_point} has no line in the keyring of job {self._folder.job}. Its data is"
            " whole, but its key is not here: look for an older keyring in a copy."
        )

    def _wrapper(self, head: KeyringHead) -> KeyWrapper:
        # A re-key may replace the keyring between two restore points of one chain.
        if self._opened is None or self._opened[0] != head:
            self._opened = (head, KeyWrapper(head.open(self._roots(head))))
        return self._opened[1]


def _lines_of(file: BinaryIO, restore_point: UUID, storage_key: UUID) -> Iterator[KeyLine]:
    needle = str(restore_point).encode()
    for raw in read_lines(file):
        if needle not in raw:
            continue
        try:
            line = parse_line(raw)
        except ValueError:
            continue
        if (line.restore_point, line.storage_key) == (str(restore_point), str(storage_key)):
            yield line


def append_key(
    folder: JobFolder, roots: Roots, *, restore_point: UUID, storage_key: UUID, key: bytes
) -> KeyringHead:
    """Append a storage key under the user key that the keyring names now; the caller holds the lock.

    Returns the head it stands under, once the line is durable and was found again by name.
    """
    with open_keyring(folder, change=True) as (head, file):
        wrapper = KeyWrapper(head.open(roots(head)))
        wrapped = wrapper.wrap(key, storage_place(head, restore_point, storage_key))
        line = KeyLine(str(restore_point), str(storage_key), wrapped).raw()
        file.truncate(_end_of_lines(file, len(head.raw) + 1))
        file.seek(0, os.SEEK_END)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    with open_keyring(folder) as (found, file):
        file.seek(-len(line), os.SEEK_END)
        if found != head or file.read() != line:
            raise DamagedKeyring(
                f"The line of restore point {restore_point} is not in the keyring after its write."
            )
    return head


def _end_of_lines(file: BinaryIO, first: int) -> int:
    size = file.seek(0, os.SEEK_END)
    start = max(first, size - 2 * LONGEST_LINE)
    file.seek(start)
    tail = file.read()
    if not tail:
        return size
    begin = tail.rfind(b"\n", 0, len(tail) - 1) + 1
    return start + begin if is_crashed(tail[begin:]) else size


def drop_lines(folder: JobFolder, restore_points: Collection[UUID]) -> int:
    """Replace the keyring by one without the lines of `restore_points`; the caller holds the lock.

    The head stays byte for byte, and so does the fingerprint. Returns the count of lines that went.
    """
    gone = {str(restore_point) for restore_point in restore_points}
    dropped = 0
    with open_keyring(folder) as (head, file):
        before = fingerprint_of(file)
        with Part(folder, KEYRING) as part:
            part.write(head.raw + b"\n")
            for raw in read_lines(file):
                if _names_one(raw, gone):
                    dropped += 1
                else:
                    part.write(raw + b"\n")
            part.sync()
            before.refuse_change(folder)
            if dropped:
                part.rename()
    return dropped


def _names_one(raw: bytes, restore_points: set[str]) -> bool:
    try:
        return parse_line(raw).restore_point in restore_points
    except ValueError:
        # A bad line is somebody's evidence of damage: only its own restore point's end may remove it.
        return False


@dataclass(frozen=True)
class FileState:
    """What identifies the content of the keyring that was read."""

    inode: int
    size: int
    digest: bytes

    def refuse_change(self, folder: JobFolder) -> None:
        """Raise KeyringChanged unless the keyring still is this file with this content."""
        with open_keyring(folder) as (_head, file):
            if fingerprint_of(file) != self:
                raise KeyringChanged(
                    f"The keyring in {folder.path} changed although its folder was locked."
                    " Nothing was replaced;"
                    " find out what else writes there."
                )


def fingerprint_of(file: BinaryIO) -> FileState:
    """Return the state of an open keyring; its position stays."""
    position = file.tell()
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_BUFFER):
        digest.update(chunk)
    status = os.fstat(file.fileno())
    file.seek(position)
    return FileState(status.st_ino, status.st_size, digest.digest())


Progress = Callable[[int], None]


def unwrap_all(
    head: KeyringHead, file: BinaryIO, user_key: bytes, progress: Progress | None = None
) -> set[str]:
    """Unwrap every line after the head and return the restore points that have one.

    Raises DamagedKeyring for a bad line, with its number.
    """
    wrapper = KeyWrapper(user_key)
    found: set[tuple[str, str]] = set()
    for number, raw in enumerate(read_lines(file), start=2):
        line = checked_line(raw, number)
        try:
            wrapper.unwrap(line.wrapped, storage_place(head, line.restore_point, line.storage_key))
        except WrongKey as error:
            raise DamagedKeyring(f"Line {number} of the keyring does not open: {error.message}") from error
        found.add(line[:2])
        if progress is not None and number % 1000 == 0:
            progress(number - 1)
    return {restore_point for restore_point, _ in found}


def checked_line(raw: bytes, number: int) -> KeyLine:
    """Return the key line in `raw`; raises DamagedKeyring with its number."""
    try:
        return parse_line(raw)
    except ValueError as error:
        raise DamagedKeyring(
            f"Line {number} of the keyring is damaged ({error}). Bring the keyring back from a"
            " copy before its"
            " password is changed."
        ) from error
