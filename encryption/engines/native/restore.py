"""A restore point becomes a folder again, or is read whole without writing.

The whole chain is read and checked once before anything is written; the hashes of the pieces are checked on
the way to the disk.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from encryption.engines.base import OnProgress, RestoreResult
from encryption.engines.native.blocks import DIGEST_BYTES, digest_of, zero_digest
from encryption.engines.native.chain import Chain, Located, ResolvedEntry, open_chain
from encryption.engines.native.entries import DIR, FILE, HARDLINK, SYMLINK, Entry
from encryption.engines.native.folder import open_folder
from encryption.engines.native.opening import Opens
from encryption.engines.native.progress import Ticker
from encryption.engines.native.scan import printable
from encryption.engines.native.selection import Selection
from encryption.engines.native.target import Target, open_target
from encryption.errors import DamagedBlock


def restore(
    path: Path,
    restore_point: UUID,
    to: Path,
    *,
    roots: Opens | None,
    paths: Iterable[str | bytes] | None = None,
    progress: OnProgress | None = None,
) -> RestoreResult:
    """Restore all or some paths of a restore point in the job folder `path` into the empty folder `to`.

    `roots` gives the root of the keyring as found; None asks for a plain restore point by name. Raises,
    before anything is written, WrongPassword, TargetNotEmpty, NotInRestorePoint and whatever damage or
    trickery the chain shows; DamagedBlock names the file whose content does not hold.
    """
    selection = Selection(paths)
    with _checked(path, restore_point, roots, selection) as chain, open_target(to) as target:
        ticker = Ticker(progress, selection.bytes)
        restoring = _Restoring(chain, target, selection, ticker)
        restoring.run()
        ticker.tell()
        return RestoreResult(ticker.files, ticker.bytes, tuple(target.warnings))


def verify(
    path: Path, restore_point: UUID, *, roots: Opens | None, progress: OnProgress | None = None
) -> RestoreResult:
    """Read a restore point as a restore would, down to the hash of each piece; raises as `restore` does."""
    selection = Selection(None)
    with _checked(path, restore_point, roots, selection) as chain:
        ticker = Ticker(progress, selection.bytes)
        for resolved in chain.entries():
            if resolved.entry.kind == FILE:
                for _offset, piece in _content(resolved, ticker):
                    del piece
                ticker.add(0, files=1)
        ticker.tell()
        return RestoreResult(ticker.files, ticker.bytes, ())


@contextmanager
def _checked(path: Path, restore_point: UUID, roots: Opens | None, selection: Selection) -> Iterator[Chain]:
    with open_folder(path) as folder, open_chain(folder, restore_point, roots) as chain:
        for resolved in chain.entries():
            selection.note(resolved.entry)
        selection.finish()
        yield chain


class _Restoring:
    def __init__(self, chain: Chain, target: Target, selection: Selection, ticker: Ticker) -> None:
        self._chain = chain
        self._target = target
        self._selection = selection
        self._ticker = ticker
        self._folders: list[Entry] = []
        self._links: list[Entry] = []

    def run(self) -> None:
        for resolved in self._chain.entries():
            if self._selection.takes(resolved.entry):
                self._begin(resolved)
        self._write_stand_ins()
        for entry in self._links:
            self._link(entry)
        for entry in reversed(self._folders):
            self._target.finish_folder(entry)

    def _begin(self, resolved: ResolvedEntry) -> None:
        entry = resolved.entry
        if entry.kind == DIR:
            self._target.make_folder(entry)
            self._folders.append(entry)
        elif entry.kind == FILE:
            self._write(resolved, entry.path)
        else:
            self._links.append(entry)

    def _write(self, resolved: ResolvedEntry, path: bytes) -> None:
        self._target.write_file(resolved.entry, path, _content(resolved, self._ticker))
        self._ticker.add(0, files=1)

    def _write_stand_ins(self) -> None:
        stand_ins = self._selection.stand_ins
        if stand_ins:
            for resolved in self._chain.entries():
                if resolved.entry.path in stand_ins:
                    self._write(resolved, stand_ins[resolved.entry.path])

    def _link(self, entry: Entry) -> None:
        if entry.kind == SYMLINK:
            self._target.make_symlink(entry)
        elif entry.kind == HARDLINK and self._selection.stand_ins.get(entry.target) != entry.path:
            self._target.make_hardlink(entry.path, self._selection.link_to.get(entry.path, entry.target))


def _content(resolved: ResolvedEntry, ticker: Ticker) -> Iterator[tuple[int, bytes | memoryview]]:
    """Yield (offset, piece) of a file, each compared with its hash; holes are left out."""
    entry, block_size = resolved.entry, resolved.block_size
    for number, located in enumerate(resolved.pieces):
        length = entry.piece_length(number, block_size)
        if located is not None:
            yield number * block_size, _piece(entry, number, located, length)
        elif entry.digest(number) != zero_digest(length)[:DIGEST_BYTES]:
            raise DamagedBlock(f"{printable(entry.path)}: a hole stands where its hash says otherwise.")
        ticker.add(length)


def _piece(entry: Entry, number: int, located: Located, length: int) -> bytes | memoryview:
    try:
        piece = located.file.read_block(located.block, length)
    except DamagedBlock as error:
        raise DamagedBlock(f"{printable(entry.path)}, piece {number + 1}: {error.message}") from error
    if digest_of(piece) != entry.digest(number):
        raise DamagedBlock(
            f"{printable(entry.path)}, piece {number + 1}: the content is not what was backed"
            " up. Restore this"
            " file from another restore point."
        )
    return piece
