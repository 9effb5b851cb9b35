"""What goes for good: restore points, and a keyring that opens nothing any more."""

import fcntl
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from uuid import UUID

from encryption.engines.native.datafile import DataFile
from encryption.engines.native.folder import KEYRING, RECOVERY, JobFolder, data_name, open_folder
from encryption.engines.native.keylines import drop_lines, open_keyring
from encryption.engines.native.keyring import read_lines
from encryption.engines.native.part import clean_up
from encryption.errors import EngineError, KeyringNeeded, RestorePointBusy


def drop(path: Path, restore_points: Iterable[UUID]) -> None:
    """Remove restore points: data file and recovery lines first, then the key line; again is the same.

    The caller knows that no other restore point builds on them. Raises RestorePointBusy, before anything is
    removed, while one of them is read.
    """
    gone = list(restore_points)
    with open_folder(path) as folder, folder.locked(), ExitStack() as leases:
        clean_up(folder)
        for restore_point in gone:
            _lease_alone(folder, restore_point, leases)
        for restore_point in gone:
            folder.remove(data_name(restore_point))
            folder.remove(f"{restore_point}{RECOVERY}")
        folder.sync()
        if folder.status(KEYRING) is not None:
            drop_lines(folder, gone)


def _lease_alone(folder: JobFolder, restore_point: UUID, leases: ExitStack) -> None:
    with suppress(FileNotFoundError):
        # Network file systems grant an exclusive lock only to who may write.
        file = leases.enter_context(folder.change(data_name(restore_point)))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RestorePointBusy(
                f"Restore point {restore_point} is being read; it can go when that has ended."
            ) from None


def retire_keyring(path: Path) -> None:
    """Remove the keyring once no line and no encrypted data file is left, else raise KeyringNeeded."""
    with open_folder(path) as folder, folder.locked():
        if folder.status(KEYRING) is None:
            return
        with open_keyring(folder) as (_head, file):
            if next(read_lines(file), None) is not None:
                raise KeyringNeeded(f"The keyring of job {folder.job} still holds keys of restore points.")
        for restore_point in folder.restore_points():
            if _may_be_encrypted(folder, restore_point):
                raise KeyringNeeded(f"Restore point {restore_point} is encrypted or cannot be read.")
        folder.remove(KEYRING)
        folder.sync()


def _may_be_encrypted(folder: JobFolder, restore_point: UUID) -> bool:
    try:
        file = DataFile(folder, restore_point)
    except EngineError:
        return True
    file.close()
    return file.header.keys is not None
