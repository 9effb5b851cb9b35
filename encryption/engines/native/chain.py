"""A restore point with all that it builds on, tip first, and where each piece of its files lies.

Everything is checked while it is read: a restore reads the chain once to be sure, and once more to write.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from encryption.engines.native.blocks import Block
from encryption.engines.native.datafile import DataFile
from encryption.engines.native.entries import FILE, Entry, EntryOrder
from encryption.engines.native.folder import JobFolder
from encryption.engines.native.opening import Opens, ring_of
from encryption.errors import BrokenChain, NoRestorePoint, PlainInEncrypted


class Located(NamedTuple):
    """Where a piece lies."""

    file: DataFile
    block: Block


@dataclass(frozen=True)
class ResolvedEntry:
    """An entry of the tip; `pieces` says for each piece of a file where it lies, None for a hole."""

    entry: Entry
    pieces: list[Located | None]
    block_size: int


class Cursor:
    """The entries of one data file in order, each checked once as it is passed."""

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._entries = file.entries()
        self._current: Entry | None = None
        self.order = EntryOrder()

    def __iter__(self) -> Iterator[Entry]:
        for entry in self._entries:
            self.order.check(entry)
            self._check_pieces(entry)
            self._current = entry
            yield entry

    def _check_pieces(self, entry: Entry) -> None:
        for at in entry.blocks:
            if isinstance(at, Block):
                self._file.check_block(at)
            elif at is None and self._file.base is None:
                raise BrokenChain(f"{entry.path!r} has a piece in a base, but its restore point is a full.")

    def find(self, path: bytes) -> Entry | None:
        """Return the entry of `path`, or None; paths must be asked for in ascending order."""
        if self._current is None or self._current.path < path:
            for entry in self:
                if entry.path >= path:
                    break
        current = self._current
        return current if current is not None and current.path == path else None

    def finish(self) -> None:
        """Read and check all that is left."""
        for _entry in self:
            pass
        self.order.check_targets(self._file.entries())


class Chain:
    """Open data files, tip first; made by `open_chain`."""

    def __init__(self, files: list[DataFile]) -> None:
        self.files = files

    @property
    def tip(self) -> DataFile:
        """Return the restore point itself."""
        return self.files[0]

    def entries(self) -> Iterator[ResolvedEntry]:
        """Yield the tip's entries in order; raises DamagedFile and BrokenChain for what does not hold."""
        cursors = [Cursor(file) for file in self.files]
        for entry in cursors[0]:
            pieces = self._locate(entry, cursors) if entry.kind == FILE else []
            yield ResolvedEntry(entry, pieces, self.tip.header.block_size)
        for cursor in cursors:
            cursor.finish()

    def _locate(self, entry: Entry, cursors: list[Cursor]) -> list[Located | None]:
        found: list[Located | None] = [None] * len(entry.blocks)
        wanted = list(range(len(entry.blocks)))
        listed: Entry | None = entry
        for file, cursor in zip(self.files, cursors, strict=True):
            if file is not self.tip:
                listed = cursor.find(entry.path)
            if listed is None or listed.kind != FILE or (wanted and wanted[-1] >= len(listed.blocks)):
                raise BrokenChain(
                    f"{entry.path!r} has a piece in restore point {file.restore_point}, which"
                    " does not list it."
                )
            further = []
            for piece in wanted:
                at = listed.blocks[piece]
                if at is None:
                    further.append(piece)
                elif isinstance(at, Block):
                    found[piece] = Located(file, at)
            if not further:
                return found
            wanted = further
        raise BrokenChain(f"{entry.path!r} has a piece that no restore point of the chain holds.")


@contextmanager
def open_chain(folder: JobFolder, restore_point: UUID, roots: Opens | None) -> Iterator[Chain]:
    """Open a restore point and its bases under shared leases.

    `roots` opens the keyring, or gives the keys; None asks for a plain restore point by name. Raises, before
    anything of the content is read, what `DataFile` raises, and BrokenChain or PlainInEncrypted for files
    that do not belong together.
    """
    ring = ring_of(folder, roots)
    files: list[DataFile] = []
    with ExitStack() as stack:
        following: UUID | None = restore_point
        while following is not None:
            if any(file.restore_point == following for file in files):
                raise BrokenChain(f"Restore point {following} stands twice in the chain of {restore_point}.")
            file = _open_step(folder, following, is_tip=not files)
            stack.callback(file.close)
            if files:
                _refuse_stranger(files[0], file)
            file.unlock(ring)
            files.append(file)
            following = file.base
        yield Chain(files)


def _open_step(folder: JobFolder, restore_point: UUID, *, is_tip: bool) -> DataFile:
    try:
        return DataFile(folder, restore_point)
    except NoRestorePoint as error:
        if is_tip:
            raise
        raise BrokenChain(f"A restore point of the chain is missing: {error.message}") from error


def _refuse_stranger(tip: DataFile, file: DataFile) -> None:
    if file.header.block_size != tip.header.block_size:
        raise BrokenChain(
            f"Restore point {file.restore_point} has another block size than {tip.restore_point}."
        )
    if (file.header.keys is None) != (tip.header.keys is None):
        raise PlainInEncrypted(
            f"Restore points {tip.restore_point} and {file.restore_point} form a chain of which"
            " one part is not"
            " encrypted."
        )
