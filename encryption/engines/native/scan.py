"""A source folder, thing by thing, in the ascending order of the path's bytes that a restore point lists."""

import heapq
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from encryption.engines.base import Source
from encryption.engines.native.patterns import PathFilter, Verdict
from encryption.engines.native.tree import OpenTree, stands_at
from encryption.errors import SourceRefused


class Found(NamedTuple):
    """One thing beneath the source; links are not followed."""

    path: bytes
    status: os.stat_result


@contextmanager
def open_source(source: Source) -> Iterator[OpenTree]:
    """Open the source folder itself; raises SourceRefused."""
    try:
        tree = OpenTree(os.open(source.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC))
    except OSError as error:
        raise SourceRefused(
            f"The source {source.path} cannot be read as a folder: {error.strerror}."
        ) from error
    try:
        if not stands_at(tree.root, source.path):
            raise SourceRefused(f"A link leads to {source.path}: name the folder itself.")
        yield tree
    finally:
        tree.close()


class Scanner:
    """Walks a source; what it cannot take it tells in `warnings` and goes on."""

    def __init__(
        self, tree: OpenTree, source: Source, warnings: list[str], *, never: os.stat_result | None = None
    ) -> None:
        """`never` is a folder that is left out wherever it stands: the one that the backup is written to."""
        self._tree = tree
        self._filter = PathFilter(source.include, source.exclude)
        self._one_file_system = source.one_file_system
        self._warnings = warnings
        self._never = never
        self._device = os.fstat(tree.root).st_dev
        # Paths that are known and not yet yielded. A folder's children sort after it, but not next to it.
        self._heap: list[tuple[bytes, bool]] = []

    def __iter__(self) -> Iterator[Found]:
        self._list(b"", inside=False)
        while self._heap:
            path, inside = heapq.heappop(self._heap)
            verdict = self._filter.judge(os.fsdecode(path), inside=inside)
            if verdict is Verdict.SKIP:
                continue
            try:
                fd, name = self._tree.place(path)
                status = os.stat(name, dir_fd=fd, follow_symlinks=False)
            except OSError as error:
                self.warn(path, f"cannot be looked at: {error.strerror}")
                continue
            if stat.S_ISDIR(status.st_mode):
                if self._never is not None and os.path.samestat(status, self._never):
                    continue
                yield Found(path, status)
                if status.st_dev == self._device or not self._one_file_system:
                    self._list(path, inside=verdict is Verdict.TAKE)
            elif verdict is Verdict.TAKE and self._is_taken(path, status):
                yield Found(path, status)

    def _list(self, path: bytes, *, inside: bool) -> None:
        try:
            # A name that is removed and made again meanwhile may be listed twice; no reader takes it twice.
            names = {os.fsencode(name) for name in os.listdir(self._tree.folder(path))}  # noqa: PTH208
        except OSError as error:
            self.warn(path or b".", f"cannot be listed: {error.strerror}")
            return
        for name in names:
            heapq.heappush(self._heap, (path + b"/" + name if path else name, inside))

    def _is_taken(self, path: bytes, status: os.stat_result) -> bool:
        if status.st_dev != self._device and self._one_file_system:
            return False
        if stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
            return True
        self.warn(path, f"is a {_kind(status.st_mode)} and is not backed up")
        return False

    def warn(self, path: bytes, what: str) -> None:
        """Note what happened to a path."""
        self._warnings.append(f"{printable(path)} {what}.")


def printable(path: bytes) -> str:
    """Return a path as text for people: what is no text or would break a line is escaped."""
    text = path.decode(errors="backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _kind(mode: int) -> str:
    for test, name in (
        (stat.S_ISFIFO, "named pipe"),
        (stat.S_ISSOCK, "socket"),
        (stat.S_ISCHR, "character device"),
        (stat.S_ISBLK, "block device"),
    ):
        if test(mode):
            return name
    return "file of an unknown type"
