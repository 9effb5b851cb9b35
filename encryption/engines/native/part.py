"""A file while it is written: under its part name, locked by its writer, renamed when it is whole."""

import fcntl
import os
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, Self

from encryption.engines.native.folder import PART, JobFolder


class Part:
    """The part of one file. A context: what is not renamed when it ends is removed."""

    def __init__(self, folder: JobFolder, name: str) -> None:
        self.folder = folder
        self.name = name
        self.size = 0
        self._renamed = False
        self._file = os.fdopen(self._create(), "w+b", buffering=256 * 1024)

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
        self._file.write(data)
        self.size += len(data)

    def reopened(self) -> BinaryIO:
        """Return what was written so far, opened anew by its part name."""
        self._file.flush()
        return self.folder.read(self.part_name)

    def sync(self) -> None:
        """Make the content durable under the part name."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def rename(self) -> None:
        """Give the synced file its name, replacing what stood there, and make that durable."""
        fd = self.folder.fd
        os.rename(self.part_name, self.name, src_dir_fd=fd, dst_dir_fd=fd)
        self._renamed = True
        self.folder.sync()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._renamed:
            self.folder.remove(self.part_name)
        # A full disk shows again at close; the first error is the one to report.
        with suppress(OSError):
            self._file.close()


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
