"""Writing into a target folder without ever leaving it: through open folders, never over what is there.

Links are made last and folders get their mode and time at the very end, deepest first, so that neither can
bend or close the way of what is still to come.
"""

import errno
import grp
import os
import pwd
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from encryption.engines.native.entries import Entry
from encryption.engines.native.scan import printable
from encryption.engines.native.tree import OpenTree, stands_at
from encryption.errors import TargetNotEmpty, TargetRefused

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_SPECIAL_BITS = 0o6000


@contextmanager
def open_target(path: Path) -> Iterator["Target"]:
    """Open the folder to restore into, made if missing; raises TargetRefused, TargetNotEmpty."""
    try:
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise TargetRefused(f"The target {path} cannot be used as a folder: {error.strerror}.") from error
    tree = OpenTree(fd)
    try:
        if not stands_at(fd, path):
            raise TargetRefused(f"A link leads to {path}: name the folder itself.")
        if os.listdir(fd):  # noqa: PTH208
            raise TargetNotEmpty(f"The target {path} is not empty: name a new or an empty folder.")
        yield Target(tree)
    finally:
        tree.close()


class Target:
    """An empty folder that is filled; made by `open_target`."""

    def __init__(self, tree: OpenTree) -> None:
        self._tree = tree
        self.warnings: list[str] = []
        self._may_give_away = os.geteuid() == 0

    def make_folder(self, entry: Entry) -> None:
        """Make a folder that only this process's user may enter until `finish_folder`."""
        place, name = self._tree.place(entry.path)
        os.mkdir(name, 0o700, dir_fd=place)

    def write_file(self, entry: Entry, path: bytes, pieces: Iterable[tuple[int, bytes | memoryview]]) -> None:
        """Write a new file at `path` from (offset, piece) pairs, then its owner, attributes, mode and time.

        What is not covered stays a hole. A file that cannot be finished is removed again.
        """
        place, name = self._tree.place(path)
        fd = os.open(name, _NEW, 0o600, dir_fd=place)
        try:
            os.ftruncate(fd, entry.size)
            for offset, piece in pieces:
                _write_at(fd, piece, offset)
            self._finish(fd, entry)
        except BaseException:
            with suppress(OSError):
                os.unlink(name, dir_fd=self._tree.place(path)[0])
            raise
        finally:
            os.close(fd)

    def make_hardlink(self, path: bytes, target: bytes) -> None:
        """Give the restored file `target` another name."""
        # The two places may not fit into the kept descriptors at once.
        source = os.dup(self._tree.place(target)[0])
        try:
            place, name = self._tree.place(path)
            old = target.rpartition(b"/")[2]
            os.link(old, name, src_dir_fd=source, dst_dir_fd=place, follow_symlinks=False)
        finally:
            os.close(source)

    def make_symlink(self, entry: Entry) -> None:
        """Make a symbolic link with its owner and time; nothing is asked of what it leads to."""
        place, name = self._tree.place(entry.path)
        os.symlink(entry.target, name, dir_fd=place)
        if self._may_give_away:
            os.chown(name, *_owner(entry), dir_fd=place, follow_symlinks=False)
        times = _times(entry)
        os.utime(name, ns=times, dir_fd=place, follow_symlinks=False)

    def finish_folder(self, entry: Entry) -> None:
        """Give a folder its owner, attributes, mode and time; nothing may be made in it afterwards."""
        place, name = self._tree.place(entry.path)
        fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place)
        try:
            self._finish(fd, entry)
        finally:
            os.close(fd)

    def _finish(self, fd: int, entry: Entry) -> None:
        mode = entry.mode
        if self._may_give_away:
            os.fchown(fd, *_owner(entry))
        elif os.fstat(fd).st_uid != entry.uid:
            # set-uid and set-gid would now speak for another user than they did.
            mode &= ~_SPECIAL_BITS
        for name, value in entry.xattrs.items():
            try:
                os.setxattr(fd, name, value)
            except OSError as error:
                reason = "not supported here" if error.errno == errno.ENOTSUP else error.strerror
                self.warnings.append(f"{printable(entry.path)} is without its attribute {name!r}: {reason}.")
        os.fchmod(fd, mode)
        os.utime(fd, ns=_times(entry))


def _write_at(fd: int, piece: bytes | memoryview, offset: int) -> None:
    rest = memoryview(piece)
    while rest:
        written = os.pwrite(fd, rest, offset)
        rest, offset = rest[written:], offset + written


def _times(entry: Entry) -> tuple[int, int]:
    seconds, nanoseconds = entry.mtime
    # Beyond 64 bits of nanoseconds no system call can say it.
    moment = min(max(seconds * 10**9 + nanoseconds, -(2**63)), 2**63 - 1)
    return moment, moment


def _owner(entry: Entry) -> tuple[int, int]:
    """Return the owner here: by name where the name is known, for numbers differ between machines."""
    return _uid(entry.user, entry.uid), _gid(entry.group, entry.gid)


@lru_cache(maxsize=1024)
def _uid(name: str, number: int) -> int:
    try:
        return pwd.getpwnam(name).pw_uid if name else number
    except (KeyError, ValueError):
        return number


@lru_cache(maxsize=1024)
def _gid(name: str, number: int) -> int:
    try:
        return grp.getgrnam(name).gr_gid if name else number
    except (KeyError, ValueError):
        return number
