"""What readers and writers do with a keyring: look up one storage key, append one, drop some, check all.

Writers hold the folder's lock. A crashed append is cut off before the next one, and a line is durable
before the data file that needs it gets its name.
"""

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from encryption.crypto.wrap import KeyWrapper
from encryption.engines.native.batches import read_batches
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
# How each line of ours begins, up to the restore point's id.
_BEGINNING, _ID_LENGTH = b'{"restore_point":"', 36


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
    before, between, after = head.place
    return f"{before}{restore_point}{between}{storage_key}{after}".encode("ascii")


def unwrap_any(wrapper: KeyWrapper, lines: Iterable[bytes], place: bytes) -> bytes | None:
    """Return what the first of several lines for one key opens to; None without a line. Raises WrongKey."""
    refused: WrongKey | None = None
    for wrapped in lines:
        try:
            return wrapper.unwrap(wrapped, place)
        except WrongKey as error:
            refused = error
    if refused is not None:
        raise refused
    return None


class KeyringKeys:
    """A keyring that was opened with its root; gives single storage keys."""

    def __init__(self, folder: JobFolder, roots: Roots) -> None:
        self._folder = folder
        self._roots = roots
        self._opened: tuple[KeyringHead, KeyWrapper] | None = None

    def storage_key(self, restore_point: UUID, storage_key: UUID) -> bytes:
        """Return a data file's storage key; raises MissingKeyLine, WrongKey, WrongPassword."""
        with open_keyring(self._folder) as (head, file):
            place = storage_place(head, restore_point, storage_key)
            lines = (line.wrapped for line in _lines_of(file, restore_point, storage_key))
            found = unwrap_any(self._wrapper(head), lines, place)
        if found is not None:
            return found
        raise MissingKeyLine(
            f"Restore point {restore_point} has no line in the keyring of job {self._folder.job}. Its data is"
            " whole, but its key is not here: look for an older keyring in a copy."
        )

    def storage_keys(self, wanted: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], bytes]:
        """Return what opens of several data files' storage keys, from one reading of the keyring.

        Of one that is missing here `storage_key` says why. Raises WrongPassword, DamagedKeyring.
        """
        names = {(str(point), str(key)): (point, key) for point, key in wanted}
        needles = {point.encode("ascii") for point, _ in names}
        found: dict[tuple[UUID, UUID], bytes] = {}
        with open_keyring(self._folder) as (head, file):
            wrapper = self._wrapper(head)
            for line in lines_among(file, needles):
                pair = names.get((line.restore_point, line.storage_key))
                if pair is not None and pair not in found:
                    with suppress(WrongKey):
                        found[pair] = wrapper.unwrap(line.wrapped, storage_place(head, *pair))
        return found

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


def lines_among(file: BinaryIO, restore_points: Collection[bytes]) -> Iterator[KeyLine]:
    """Yield the lines of these restore points, by their ids as text; what is no line is passed over."""
    begins = len(_BEGINNING)
    for raw in read_lines(file):
        # A line of another spelling than ours is read before it is judged.
        if raw[begins : begins + _ID_LENGTH] in restore_points or not raw.startswith(_BEGINNING):
            with suppress(ValueError):
                line = parse_line(raw)
                if line.restore_point.encode("ascii") in restore_points:
                    yield line


def append_key(
    folder: JobFolder, roots: Roots, *, restore_point: UUID, storage_key: UUID, key: bytes
) -> KeyringHead:
    """Append a storage key under the user key that the keyring names now; the caller holds the lock.

    Returns the head it stands under, once the line is durable and was found again by name.
    """
    with open_keyring(folder, change=True) as (head, file):
        root = roots(head)
        place = storage_place(head, restore_point, storage_key)
        wrapped = KeyWrapper(head.open(root)).wrap(key, place)
        _cut_crashed_append(file, len(head.raw) + 1)
        file.seek(0, os.SEEK_END)
        file.write(KeyLine(str(restore_point), str(storage_key), wrapped).raw())
        _sync(file)
    if KeyringKeys(folder, lambda _head: root).storage_key(restore_point, storage_key) != key:
        raise DamagedKeyring(f"The keyring gives another key for {restore_point} than was written.")
    return head


def _cut_crashed_append(file: BinaryIO, first: int) -> None:
    """Truncate what a crash left after the last whole line; `first` is where lines begin."""
    size = file.seek(0, os.SEEK_END)
    end = size if _byte_before(file, size) == b"\n" else _line_begin(file, first, size)
    begin = _line_begin(file, first, end - 1) if end > first else end
    file.seek(begin)
    if end == size and end > first and is_crashed(file.read(LONGEST_LINE)):
        end = begin
    if end < size:
        file.truncate(end)
        _sync(file)


def _byte_before(file: BinaryIO, position: int) -> bytes:
    file.seek(position - 1)
    return file.read(1)


def _line_begin(file: BinaryIO, first: int, end: int) -> int:
    """Return where the line that ends before `end` begins; a crash may have left it of any length."""
    while end > first:
        start = max(first, end - LONGEST_LINE)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return first


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


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


def unwrap_all(head: KeyringHead, file: BinaryIO, user_key: bytes) -> int:
    """Unwrap every line after the head and return how many there are.

    Raises DamagedKeyring for a bad line, with its number.
    """
    wrapper, count = KeyWrapper(user_key), 0
    for batch in read_batches(file):
        count += len(batch.keys(wrapper, batch.places(head)))
    return count
