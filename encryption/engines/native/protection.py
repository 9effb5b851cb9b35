"""The second wrap of storage keys: `<restore point>.recovery`, for the keysets in force.

Written whole and before the key line, so that a restore point that exists can be recovered; replaced whole
when a keyset is. Nothing here opens anything but with keys that it is given.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from encryption.crypto import keysets
from encryption.engines.native.datafile import DataFile
from encryption.engines.native.folder import RECOVERY, JobFolder, data_name, open_folder
from encryption.engines.native.opening import Opens, StorageKeys, ring_of
from encryption.engines.native.part import Part, clean_up
from encryption.engines.native.recovery import Line, read_line, sign_line
from encryption.errors import BadRecoveryLine, EngineError

# A few keysets a restore point; a file beyond this is not ours.
LONGEST_FILE = 256 * 1024
# So many files are open at once while restore points are covered.
BATCH = 200


@dataclass(frozen=True, slots=True)
class Guard:
    """A keyset that new restore points are also wrapped for."""

    keyset: UUID
    suite: str
    public: bytes


@dataclass(frozen=True, repr=False)
class Protection:
    """Loss protection in force: the keysets, and the backup server that signs the lines."""

    server: UUID
    signing_key: Ed25519PrivateKey
    guards: tuple[Guard, ...]

    def lines(self, job: UUID, restore_point: UUID, storage_key: UUID, key: bytes) -> list[bytes]:
        """Return the lines of one restore point, signed."""
        found = []
        for guard in self.guards:
            line = Line(job, restore_point, storage_key, guard.keyset, guard.suite, self.server, b"")
            wrapped = keysets.wrapper(guard.suite, guard.public)(key, line.bound_to)
            found.append(sign_line(replace(line, wrapped=wrapped), self.signing_key))
        return found


def recovery_name(restore_point: UUID) -> str:
    """Return the name of a restore point's recovery lines."""
    return f"{restore_point}{RECOVERY}"


def write(folder: JobFolder, restore_point: UUID, storage_key: UUID, key: bytes, by: Protection) -> None:
    """Put a restore point's recovery lines in place, durable; the caller holds the folder's lock."""
    with Part(folder, recovery_name(restore_point)) as part:
        for line in by.lines(folder.job, restore_point, storage_key, key):
            part.write(line + b"\n")
        part.sync()
        part.rename()


def read(path: Path, restore_point: UUID) -> list[Line]:
    """Return a restore point's recovery lines, signatures unverified; none without a file.

    Raises BadRecoveryLine for a line that cannot be read, or that belongs to something else.
    """
    with open_folder(path) as folder:
        return list(lines_in(folder, restore_point))


def lines_in(folder: JobFolder, restore_point: UUID) -> Iterator[Line]:
    """Yield the recovery lines of a restore point in an open folder. Raises BadRecoveryLine."""
    with suppress(FileNotFoundError), folder.read(recovery_name(restore_point)) as file:
        text = file.read(LONGEST_FILE + 1)
        if len(text) > LONGEST_FILE:
            raise BadRecoveryLine(f"The recovery lines of {restore_point} are longer than any of ours.")
        for raw in text.split(b"\n")[:-1]:
            line = read_line(raw)
            if (line.job, line.restore_point) != (folder.job, restore_point):
                raise BadRecoveryLine(f"The recovery lines of {restore_point} belong to something else.")
            yield line


def covered(path: Path, keyset: UUID) -> set[UUID]:
    """Return the restore points that this keyset would open."""
    found = set()
    with open_folder(path) as folder:
        for restore_point in folder.restore_points():
            with suppress(EngineError):
                if any(line.keyset == keyset for line in lines_in(folder, restore_point)):
                    found.add(restore_point)
    return found


def cover(
    path: Path,
    restore_points: Iterable[UUID],
    *,
    keys: Opens,
    by: Protection,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Wrap the storage keys of existing restore points for the keysets in force; no data is read.

    Lines of other keysets go: a rotation is the same. Returns how many were written; a plain restore point
    needs none. A few hundred at a time: the keyring is read once for all of them, each file is durable before
    it gets its name, and the names are made durable together. Killed in between, each point has its former
    lines or the new ones. Raises what the keyring raises; what was written until then stays, and again is the
    same.
    """
    written, waiting = 0, enumerate(restore_points, start=1)
    with open_folder(path) as folder:
        ring = ring_of(folder, keys)
        with folder.locked():
            clean_up(folder)
        while some := list(islice(waiting, BATCH)):
            wanted: list[tuple[UUID, UUID]] = []
            try:
                for number, restore_point in some:
                    if progress is not None:
                        progress(number)
                    storage_key = _storage_key(folder, restore_point)
                    if storage_key is not None and not _stands(folder, restore_point, storage_key, by):
                        wanted.append((restore_point, storage_key))
            except EngineError:
                _cover(folder, ring, wanted, by)
                raise
            written += _cover(folder, ring, wanted, by)
    return written


def _cover(
    folder: JobFolder, ring: StorageKeys | None, wanted: list[tuple[UUID, UUID]], by: Protection
) -> int:
    """Write the lines of some restore points; one whose key does not open ends it after those before it."""
    if ring is None or not wanted:
        return 0
    found = ring.storage_keys(wanted)
    opened = list(takewhile(found.__contains__, wanted))
    lines = {point: by.lines(folder.job, point, key, found[point, key]) for point, key in opened}
    with folder.locked(), ExitStack() as stack:
        # One that retention dropped meanwhile needs no lines any more.
        there = [point for point in lines if folder.status(data_name(point)) is not None]
        parts = [stack.enter_context(Part(folder, recovery_name(point))) for point in there]
        for point, part in zip(there, parts, strict=True):
            part.write(b"".join(line + b"\n" for line in lines[point]))
        for part in parts:
            part.sync()
        for part in parts:
            part.rename(durable=False)
        folder.sync()
    for pair in wanted[len(opened) :]:
        ring.storage_key(*pair)
    return len(there)


def _storage_key(folder: JobFolder, restore_point: UUID) -> UUID | None:
    with closing(DataFile(folder, restore_point)) as file:
        return None if file.header.keys is None else file.header.keys.storage_key


def _stands(folder: JobFolder, restore_point: UUID, storage_key: UUID, by: Protection) -> bool:
    try:
        lines = list(lines_in(folder, restore_point))
    except BadRecoveryLine:
        return False
    return bool(lines) and {(line.keyset, line.storage_key) for line in lines} == {
        (guard.keyset, storage_key) for guard in by.guards
    }
