"""Key files: a folder that only one process may enter, and what it holds, written whole or not at all."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from encryption.errors import KeyMaterialError

LARGEST = 16 * 1024


class FileKeys:
    """The key files of one process: `path` is a folder that only its user may enter."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Make the folder if it is missing, 0700; raises KeyMaterialError if others may enter it."""
        with contextlib.suppress(FileExistsError):
            self.path.mkdir(mode=0o700, parents=True)
        self._refuse_open(self.path.stat(), self.path)

    def read(self, name: str) -> bytes:
        """Return a key file's content; raises KeyMaterialError if missing, a link, or open to others."""
        path = self.path / name
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise KeyMaterialError(
                f"The key file {path} cannot be read ({error.strerror}). Run setup on a new"
                " installation; on an"
                " old one bring the file back from its own backup."
            ) from error
        with os.fdopen(fd, "rb") as file:
            self._refuse_open(os.fstat(fd), path)
            return file.read(LARGEST)

    def make(self, name: str, content: bytes) -> None:
        """Write a key file, 0600 and whole, unless it exists."""
        path, part = self.path / name, self.path / f"{name}.{os.getpid()}.part"
        if path.exists():
            return
        write_new(part, content, 0o600)
        try:
            # A link, unlike a rename, never replaces the key that another first start has just made.
            with contextlib.suppress(FileExistsError):
                os.link(part, path)
        finally:
            part.unlink()
        sync_folder(self.path)

    def replace(self, name: str, content: bytes) -> None:
        """Put other content into a key file, whole or not at all, and make that durable."""
        part = self.path / f".{name}.part"
        write_new(part, content, 0o600)
        part.rename(self.path / name)
        sync_folder(self.path)

    @contextlib.contextmanager
    def locked(self, name: str, *, wait: bool = True) -> Iterator[None]:
        """Keep other processes out of the same block by a lock file; BlockingIOError if not to `wait`."""
        fd = os.open(self.path / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(fd)

    @staticmethod
    def _refuse_open(status: os.stat_result, path: Path) -> None:
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyMaterialError(
                f"{path} is open to its group or to others (mode {status.st_mode & 0o777:o}). Close it with"
                f" `chmod go= {path}`, and treat its keys as known to whoever could read it."
            )
        if status.st_uid != os.geteuid():
            raise KeyMaterialError(
                f"{path} belongs to another user (id {status.st_uid}); it must belong to this one."
            )


def write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a new file of this mode and sync it; what lay there under its name is removed first."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        os.fchmod(fd, mode)
        file.write(content)
        file.flush()
        os.fsync(fd)


def sync_folder(path: Path) -> None:
    """Sync a folder, so that what was linked, renamed or removed in it stays so after a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def erase(path: Path) -> None:
    """Write over a file and remove it, for good; on many disks that is all that helps.

    It loses its name first, so that whoever looks finds it whole or not at all. Killed in between, the next
    call for the same path ends it; another name for the same file is somebody's copy, and stays whole.
    """
    going = path.with_name(f".{path.name}.going")
    with contextlib.suppress(FileNotFoundError):
        path.rename(going)
        sync_folder(path.parent)
    with contextlib.suppress(FileNotFoundError), going.open("r+b") as file:
        status = os.fstat(file.fileno())
        if status.st_nlink == 1:
            file.write(os.urandom(status.st_size))
            file.flush()
            os.fsync(file.fileno())
        going.unlink()
        sync_folder(path.parent)
