"""A job as it lies in its folder: what its keyring says, what it holds, and whether the two hold together."""

from pathlib import Path
from uuid import UUID

from encryption.crypto.wrap import KeyWrapper
from encryption.engines.base import Consequence, Observation, Proof
from encryption.engines.native.batches import read_batches
from encryption.engines.native.datafile import DataFile
from encryption.engines.native.folder import KEYRING, JobFolder, data_name, open_folder
from encryption.engines.native.keylines import open_keyring, storage_place
from encryption.engines.native.keyring import KeyringHead, Roots, parse_line, read_lines
from encryption.errors import EngineError, ProofFailed, WrongKey


def read_head(path: Path) -> KeyringHead | None:
    """Return the head of the keyring in `path`, None without one; raises DamagedKeyring, WrongJob."""
    if not _exists(path):
        return None
    with open_folder(path) as folder:
        if folder.status(KEYRING) is None:
            return None
        with open_keyring(folder) as (head, _file):
            return head


def list_points(path: Path) -> tuple[UUID, ...]:
    """Return the restore points that have a data file."""
    if not _exists(path):
        return ()
    with open_folder(path) as folder:
        return tuple(folder.restore_points())


def _exists(path: Path) -> bool:
    # A repository that is away must not look like a job that never ran.
    path.parent.stat()
    return path.is_dir()


def observe(path: Path, roots: Roots | None) -> Observation:
    """Return what lies in `path`; with `roots` each line is unwrapped, and what does not hold is `damage`.

    Raises DamagedKeyring when the keyring has no readable head, and OSError when it cannot be read.
    """
    if not _exists(path):
        return Observation("", (), ())
    with open_folder(path) as folder:
        points = tuple(folder.restore_points())
        if folder.status(KEYRING) is None:
            return Observation("", points, ())
        return _observe_keyring(folder, points, roots)


def _observe_keyring(folder: JobFolder, points: tuple[UUID, ...], roots: Roots | None) -> Observation:
    lines: set[str] = set()
    damage = ""
    with open_keyring(folder) as (head, file):
        try:
            wrapper = None if roots is None else KeyWrapper(head.open(roots(head)))
        except EngineError as error:
            wrapper, damage = None, error.message
        for number, raw in enumerate(read_lines(file), start=2):
            try:
                line = parse_line(raw)
                if wrapper is not None:
                    wrapper.unwrap(line.wrapped, storage_place(head, line.restore_point, line.storage_key))
            except (ValueError, WrongKey):
                damage = damage or f"Line {number} of the keyring is damaged or does not open."
            else:
                lines.add(line.restore_point)
    return Observation(head.fingerprint, points, tuple(UUID(line) for line in sorted(lines)), damage)


def prove(path: Path, *, root: bytes, old_root: bytes | None) -> Proof:
    """Read the keyring back: `root` opens head and every line, `old_root` neither.

    Raises WrongPassword, DamagedKeyring, ProofFailed.
    """
    with open_folder(path) as folder, open_keyring(folder) as (head, file):
        wrapper = KeyWrapper(head.open(root))
        if old_root is not None and head.commits_to(old_root):
            raise ProofFailed("The old password still opens the keyring.")
        count = 0
        for batch in read_batches(file):
            places = batch.places(head)
            try:
                count += len(wrapper.unwrap_many(batch.wrapped, places))
            except WrongKey as error:
                number = batch.first_wrong(wrapper, places)
                raise ProofFailed(
                    f"Line {number} of the keyring does not open with the new password."
                ) from error
        return Proof(head.fingerprint, head.generation, count)


def consequences(path: Path, new_fingerprint: str) -> tuple[Consequence, ...]:
    """Return what each restore point will need after a change: a re-key takes every line along."""
    if not _exists(path):
        return ()
    with open_folder(path) as folder:
        head = None
        if folder.status(KEYRING) is not None:
            with open_keyring(folder) as (head, _file):
                pass
        # Without a keyring today, what is encrypted tomorrow begins with a new full.
        after = new_fingerprint if head is not None else ""
        return tuple(_consequence(folder, point, after) for point in folder.restore_points())


def _consequence(folder: JobFolder, restore_point: UUID, after: str) -> Consequence:
    status = folder.status(data_name(restore_point))
    size = status.st_size if status is not None else 0
    try:
        file = DataFile(folder, restore_point)
    except EngineError:
        return Consequence(restore_point, size, after)
    file.close()
    return Consequence(restore_point, size, after if file.header.keys is not None else "")
