"""A job's folder in a repository: its names, its lock, and writes that are whole or not there.

All names are resolved in one open folder, never through a path that somebody could bend meanwhile.
"""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from encryption.crypto.encoding import from_uuid
from encryption.engines.native.tree import stands_at
from encryption.errors import FolderBusy, NoRestorePoint, NotABackup, WrongJob

KEYRING = "keyring"
LOCK = "lock"
PART = ".part"
DATA = ".vsb"
RECOVERY = ".recovery"

_POLL_SECONDS = 0.05
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def job_folder(repository: Path, job: UUID) -> Path:
    """Return where `job` lies in `repository`."""
    return repository / str(job)


def data_name(restore_point: UUID) -> str:
    """Return the name of a restore point's data file."""
    return f"{restore_point}{DATA}"


class JobFolder:
    """An open job folder; made by `open_folder`."""

    def __init__(self, path: Path, fd: int) -> None:
        try:
            self.job = from_uuid(path.name)
        except ValueError:
            raise WrongJob(f"{path} is no job folder: its name is not a job's UUID.") from None
        self.path = path
        self.fd = fd

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        return sorted(os.listdir(self.fd))  # noqa: PTH208 - an open folder, not a path

    def restore_points(self) -> list[UUID]:
        """Return the restore points that have a data file, by name."""
        found = []
        for name in self.names():
            with suppress(ValueError):
                if name.endswith(DATA):
                    found.append(from_uuid(name.removesuffix(DATA)))
        return found

    def read(self, name: str) -> BinaryIO:
        """Open a regular file for reading; raises FileNotFoundError."""
        return self._open(name, _READ, "rb")

    def change(self, name: str) -> BinaryIO:
        """Open a regular file for reading and writing in place; raises FileNotFoundError."""
        return self._open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, "r+b")

    def _open(self, name: str, flags: int, mode: str) -> BinaryIO:
        try:
            fd = os.open(name, flags, dir_fd=self.fd)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            raise NotABackup(f"{name} in {self.path} is a link; a job's files are never links.") from error
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise NotABackup(f"{name} in {self.path} is no regular file.")
        return os.fdopen(fd, mode)  # type: ignore[return-value]

    def status(self, name: str) -> os.stat_result | None:
        """Return what stands under `name`, links not followed, or None."""
        with suppress(FileNotFoundError):
            return os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        return None

    def remove(self, name: str) -> None:
        """Remove `name` if it exists."""
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.fd)

    def sync(self) -> None:
        """Make renames and removals durable."""
        os.fsync(self.fd)

    @contextmanager
    def locked(self, wait: float = 60) -> Iterator[None]:
        """Hold the writers' lock; raises FolderBusy after `wait` seconds, NotABackup for a bent path."""
        if not stands_at(self.fd, self.path):
            raise NotABackup(f"A link leads to {self.path}: nothing is written where it was not approved.")
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(LOCK, flags, 0o600, dir_fd=self.fd)
        try:
            wait_for_lock(fd, wait, f"Another writer works in {self.path}; try again when it has ended.")
            yield
        finally:
            os.close(fd)


@contextmanager
def open_folder(path: Path, *, create: bool = False) -> Iterator[JobFolder]:
    """Open a job's folder, made first if `create`; raises NoRestorePoint if there is none."""
    if create:
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
            _sync_path(path.parent)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        raise NoRestorePoint(f"The job folder {path} cannot be opened: {error.strerror}.") from error
    try:
        yield JobFolder(path, fd)
    finally:
        os.close(fd)


def wait_for_lock(fd: int, wait: float, refusal: str) -> None:
    """Take an exclusive flock; raises FolderBusy with `refusal` after `wait` seconds."""
    end = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise FolderBusy(refusal) from None
            time.sleep(_POLL_SECONDS)
        else:
            return


def _sync_path(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
