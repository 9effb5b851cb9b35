"""A file while it is written: under its part name, locked by its writer, renamed when it is whole."""

import fcntl
import os
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, Self

from encryption.engines.native.folder import PART, JobFolder

# Calls of this size cost the system half of what larger or smaller ones do.
_AT_ONCE = 256 * 1024
# The disk begins to write so often, so that little is left to wait for at the sync. macOS has no such call.
_AHEAD_OF_SYNC = 8 * 1024 * 1024
_ADVISE = getattr(os, "posix_fadvise", None)


class Part:
    """The part of one file. A context: what is not renamed when it ends is removed."""

    def __init__(self, folder: JobFolder, name: str) -> None:
        self.folder = folder
        self.name = name
        self.size = 0
        self._renamed = False
        self._fd = self._create()
        # What is too little for a call of its own waits here.
        self._waiting = bytearray()
        self._told = 0

    @property
    def part_name(self) -> str:
        """Return the name until the rename."""
        return self.name + PART

    def _create(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        while True:
            fd = os.open(self.part_name, flags, 0o600, dir_fd=self.folder.fd)
            fcntl.flock(fd, fcntl.LOCK_EX)
            # Between creation and lock a clean-up may have taken it for abandoned.
            if os.fstat(fd).st_nlink:
                return fd
            os.close(fd)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append `data`."""
        self.size += len(data)
        if len(self._waiting) + len(data) < _AT_ONCE:
            self._waiting += data
            return
        self._flush()
        if len(data) < _AT_ONCE:
            self._waiting += data
        else:
            self._put(memoryview(data))

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, bytearray()
        self._put(memoryview(waiting))

    def _put(self, data: memoryview) -> None:
        while data:
            data = data[os.write(self._fd, data[:_AT_ONCE]) :]
        if _ADVISE is not None and self.size - self._told >= _AHEAD_OF_SYNC:
            _ADVISE(self._fd, self._told, self.size - self._told, os.POSIX_FADV_DONTNEED)
            self._told = self.size

    def reopened(self) -> BinaryIO:
        """Return what was written so far, opened anew by its part name."""
        self._flush()
        return self.folder.read(self.part_name)

    def sync(self) -> None:
        """Make the content durable under the part name."""
        self._flush()
        os.fsync(self._fd)

    def rename(self, *, durable: bool = True) -> None:
        """Give the synced file its name, replacing what stood there, and make that durable.

        Without `durable` the caller does that, once for many: `JobFolder.sync`.
        """
        fd = self.folder.fd
        os.rename(self.part_name, self.name, src_dir_fd=fd, dst_dir_fd=fd)
        self._renamed = True
        if durable:
            self.folder.sync()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._renamed:
            self.folder.remove(self.part_name)
        # A full disk may show again at close; the first error is the one to report.
        with suppress(OSError):
            os.close(self._fd)


def clean_up(folder: JobFolder) -> list[str]:
    """Remove the parts that no living writer holds; the caller holds the folder's lock."""
    removed = []
    for name in folder.names():
        if not name.endswith(PART):
            continue
        with suppress(FileNotFoundError, BlockingIOError), folder.change(name) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folder.remove(name)
            removed.append(name)
    return removed
