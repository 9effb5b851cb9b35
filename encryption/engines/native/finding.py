"""A repository read for what nobody has on record: its job folders, and the restore points that verify.

Without a password the keyring's head, headers, trailers and names are held against each other, and that is
all: what a header says of its kind is bound to a key that nobody gave. With the root of the keyring each file
is opened as a restore opens it. What does not hold is said by name; nothing here writes.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

from encryption.crypto.encoding import from_uuid
from encryption.crypto.wrap import KeyWrapper
from encryption.engines.native import protection
from encryption.engines.native.datafile import DataFile
from encryption.engines.native.folder import KEYRING, JobFolder, open_folder
from encryption.engines.native.header import TIME_FORM
from encryption.engines.native.keylines import lines_among, open_keyring, storage_place, unwrap_any
from encryption.engines.native.keyring import KeyringHead, Roots
from encryption.engines.native.opening import GivenKeys
from encryption.engines.native.recovery import Line
from encryption.errors import EngineError, MissingKeyLine, NoKeyring

# So many files are read before their lines are looked for in the keyring, in one pass.
BATCH = 2_000

_Ids = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """A restore point whose file holds; `kind` is empty where no key was there to verify it."""

    restore_point: UUID
    created: datetime
    size: int
    kind: str
    base: UUID | None
    storage_key: UUID | None
    recovery: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """What does not hold, by its name in the repository."""

    what: str
    why: str


def job_folders(repository: Path) -> Iterator[UUID | Unread]:
    """Yield the jobs that have a folder, in the order of names; whatever else lies there is Unread."""
    for path in sorted(repository.iterdir()):
        try:
            job = from_uuid(path.name)
        except ValueError:
            yield Unread(path.name, "It is no job's folder: its name is not a job's UUID.")
            continue
        if path.is_dir() and not path.is_symlink():
            yield job
        else:
            yield Unread(path.name, "It is no folder, or a link; a job's folder is never a link.")


def read_points(path: Path, roots: Roots | None = None) -> Iterator[list[Found | Unread]]:
    """Yield the restore points of a job, some thousand at a time; with `roots` each is opened.

    Raises DamagedKeyring, WrongJob, WrongPassword for the keyring, and OSError for what cannot be reached.
    """
    with open_folder(path) as folder:
        points = iter(folder.restore_points())
        while some := list(islice(points, BATCH)):
            keys = _Keys(folder, some, roots)
            yield [part for point in some for part in _parts(folder, point, keys)]


class _Keys:
    """The key lines of some restore points, and with `roots` the storage keys in them."""

    def __init__(self, folder: JobFolder, points: list[UUID], roots: Roots | None) -> None:
        self._lines: dict[_Ids, list[bytes]] = defaultdict(list)
        self._opener: tuple[KeyringHead, KeyWrapper] | None = None
        self.has_keyring = folder.status(KEYRING) is not None
        if not self.has_keyring:
            return
        with open_keyring(folder) as (head, file):
            if roots is not None:
                self._opener = head, KeyWrapper(head.open(roots(head)))
            # A line that is none costs its own restore point, which then has no line.
            for line in lines_among(file, {str(point).encode("ascii") for point in points}):
                self._lines[line.restore_point, line.storage_key].append(line.wrapped)

    def ring(self, point: UUID, storage_key: UUID) -> GivenKeys | None:
        """Return what opens a restore point; None without roots. Raises MissingKeyLine, WrongKey."""
        wrapped = self._lines.get((str(point), str(storage_key)), ())
        if not wrapped:
            raise MissingKeyLine("It is encrypted, and the keyring has no line for its key.")
        if self._opener is None:
            return None
        head, wrapper = self._opener
        key = unwrap_any(wrapper, wrapped, storage_place(head, point, storage_key))
        return None if key is None else GivenKeys({storage_key: key})


def _parts(folder: JobFolder, point: UUID, keys: _Keys) -> Iterator[Found | Unread]:
    recovery: tuple[Line, ...] = ()
    try:
        recovery = tuple(protection.lines_in(folder, point))
    except EngineError as error:
        yield Unread(f"{folder.job}/{protection.recovery_name(point)}", error.message)
    try:
        yield _found(folder, point, keys, recovery)
    except EngineError as error:
        yield Unread(f"{folder.job}/{point}.vsb", error.message)
    except PermissionError as error:
        yield Unread(f"{folder.job}/{point}.vsb", f"It cannot be read: {error.strerror}.")


def _found(folder: JobFolder, point: UUID, keys: _Keys, recovery: tuple[Line, ...]) -> Found:
    with closing(DataFile(folder, point)) as file:
        header, storage_key, kind = file.header, None, file.header.kind
        if header.keys is None:
            file.unlock(None)
        elif not keys.has_keyring:
            raise NoKeyring("It is encrypted, and its job has no keyring: bring that back from a copy.")
        else:
            storage_key = header.keys.storage_key
            ring = keys.ring(point, storage_key)
            if ring is None:
                kind = ""
            else:
                file.unlock(ring)
        created = datetime.strptime(header.created, TIME_FORM).replace(tzinfo=UTC)
        return Found(point, created, file.length, kind, file.base, storage_key, recovery)
