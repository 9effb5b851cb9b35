"""From a thing in a source to its entry: owner, times, attributes, and a file's pieces as blocks."""

import errno
import grp
import os
import pwd
import stat
from contextlib import closing
from functools import lru_cache

from encryption.crypto.encoding import LARGEST_INTEGER
from encryption.engines.native.blocks import DIGEST_BYTES, BlockWriter
from encryption.engines.native.chain import Cursor
from encryption.engines.native.entries import DIR, FILE, HARDLINK, SYMLINK, Entry, PieceAt
from encryption.engines.native.pieces import Piece, PieceReader
from encryption.engines.native.progress import Ticker
from encryption.engines.native.scan import Found, Scanner
from encryption.engines.native.tree import OpenTree

# A file may claim exabytes of nothing, and every MiB of it stands in the list: one such file would keep a run
# busy for ever. This is the largest that ext4 takes.
LARGEST_FILE = 16 * 1024**4
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class _NotWritten(Exception):
    """The data file took no more, which is no fault of the source."""

    def __init__(self, error: OSError) -> None:
        self.error = error


class EntryReader:
    """Makes entries; content goes to `writer` unless `base` has the same piece already."""

    def __init__(
        self,
        tree: OpenTree,
        scanner: Scanner,
        writer: BlockWriter,
        base: Cursor | None,
        pieces: PieceReader,
        ticker: Ticker,
    ) -> None:
        self._tree = tree
        self._scanner = scanner
        self._writer = writer
        self._base = base
        self._pieces = pieces
        self._linked: dict[tuple[int, int], bytes] = {}
        self._ticker = ticker

    def read(self, found: Found) -> Entry | None:
        """Return the entry of `found`, or None when it cannot be read, which is noted as a warning.

        Raises OSError when its content cannot be written.
        """
        try:
            if stat.S_ISDIR(found.status.st_mode):
                entry = self._owned(DIR, found.path, found.status)
                entry.xattrs = self._xattrs(found.path)
                return entry
            if stat.S_ISLNK(found.status.st_mode):
                entry = self._owned(SYMLINK, found.path, found.status)
                fd, name = self._tree.place(found.path)
                entry.target = os.readlink(name, dir_fd=fd)
                return entry
            return self._file(found)
        except _NotWritten as failed:
            raise failed.error from None
        except OSError as error:
            self._scanner.warn(found.path, f"cannot be read: {error.strerror}")
            return None

    def _owned(self, kind: str, path: bytes, status: os.stat_result) -> Entry:
        return Entry(
            kind,
            path,
            mode=stat.S_IMODE(status.st_mode),
            mtime=self._moment(path, status.st_mtime_ns),
            uid=status.st_uid,
            gid=status.st_gid,
            user=_user(status.st_uid),
            group=_group(status.st_gid),
        )

    def _moment(self, path: bytes, nanoseconds: int) -> tuple[int, int]:
        seconds, rest = divmod(nanoseconds, 10**9)
        if abs(seconds) > LARGEST_INTEGER:
            # Whoever owns a file may set any time; one that no reader takes would cost the whole list.
            self._scanner.warn(path, "has a time that no calendar reaches; the nearest possible one is kept")
            return (LARGEST_INTEGER if seconds > 0 else -LARGEST_INTEGER), 0
        return seconds, rest

    def _xattrs(self, path: bytes, fd: int | None = None) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        try:
            at = self._tree.folder(path) if fd is None else fd
            for name in os.listxattr(at):
                if _is_text(name):
                    found[name] = os.getxattr(at, name)
                else:
                    self._scanner.warn(
                        path, "has an extended attribute whose name is no UTF-8; it is left out"
                    )
        except OSError as error:
            if error.errno != errno.ENOTSUP:
                self._scanner.warn(path, f"does not show its extended attributes: {error.strerror}")
        return found

    def _file(self, found: Found) -> Entry:
        place, name = self._tree.place(found.path)
        fd = os.open(name, _OPEN, dir_fd=place)
        try:
            before = os.fstat(fd)
            if not stat.S_ISREG(before.st_mode):
                raise OSError(errno.ESTALE, "it was replaced by something else meanwhile")
            if before.st_size > LARGEST_FILE:
                raise OSError(errno.EFBIG, f"it is larger than {LARGEST_FILE:,} bytes and is left out")
            identity = (before.st_dev, before.st_ino)
            if before.st_nlink > 1 and identity in self._linked:
                return Entry(HARDLINK, found.path, target=self._linked[identity])
            entry = self._owned(FILE, found.path, before)
            entry.xattrs = self._xattrs(found.path, fd)
            self._content(fd, entry, before)
            if before.st_nlink > 1:
                self._linked[identity] = found.path
            after = os.fstat(fd)
        finally:
            os.close(fd)
        if _state(before) != _state(after):
            self._scanner.warn(found.path, "changed while it was read; its content may be of two moments")
        return entry

    def _content(self, fd: int, entry: Entry, status: os.stat_result) -> None:
        base = None if self._base is None else self._base.find(entry.path)
        if base is not None and base.kind != FILE:
            base = None
        digests = bytearray()
        with closing(self._pieces.read(fd, status)) as pieces:
            for number, piece in enumerate(pieces):
                if piece.length:
                    entry.blocks.append(self._place(number, piece, base))
                    digests += piece.digest[:DIGEST_BYTES]
                entry.size += piece.length
        entry.pieces = bytes(digests)

    def _place(self, number: int, piece: Piece, base: Entry | None) -> PieceAt:
        self._ticker.add(piece.length)
        if piece.is_zero:
            return 0
        if (
            base is not None
            and number < len(base.blocks)
            and base.digest(number) == piece.digest[:DIGEST_BYTES]
        ):
            return None
        try:
            return self._writer.append(piece.flagged)
        except OSError as error:
            raise _NotWritten(error) from error


def _is_text(name: str) -> bool:
    # The system hands names over with lone surrogates for bytes that are no UTF-8.
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


@lru_cache(maxsize=1024)
def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


@lru_cache(maxsize=1024)
def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""
