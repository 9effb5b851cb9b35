"""A folder becomes a restore point: everything in it, or only what differs from a base."""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from encryption.crypto.wrap import KeyWrapper, associated
from encryption.engines.base import BackupResult, OnProgress, Source
from encryption.engines.native import protection as protecting
from encryption.engines.native.blocks import BlockWriter
from encryption.engines.native.chain import Chain, Cursor, open_chain
from encryption.engines.native.folder import JobFolder, data_name, open_folder
from encryption.engines.native.header import (
    BLOCK_SIZE,
    FULL,
    INCREMENT,
    TIME_FORM,
    Header,
    WrappedKeys,
    WrappedSession,
    new_header,
)
from encryption.engines.native.keylines import append_key, open_keyring
from encryption.engines.native.keyring import Roots
from encryption.engines.native.metadata import Spool, write_metadata
from encryption.engines.native.part import Part, clean_up
from encryption.engines.native.pieces import PieceReader
from encryption.engines.native.progress import Ticker
from encryption.engines.native.protection import Protection
from encryption.engines.native.reading import EntryReader
from encryption.engines.native.scan import Scanner, open_source
from encryption.engines.native.tree import OpenTree
from encryption.errors import BrokenChain, RestorePointExists


class _NewKeys:
    """The fresh keys of one data file; they live as long as the run."""

    def __init__(self, restore_point: UUID) -> None:
        self.storage_key_id = uuid4()
        self.session = uuid4()
        self.storage_key, self.metakey, self.session_key = os.urandom(32), os.urandom(32), os.urandom(32)
        storage = KeyWrapper(self.storage_key)
        session_place = associated("session", restore_point, self.session)
        self.wrapped = WrappedKeys(
            self.storage_key_id,
            storage.wrap(self.metakey, associated("meta", restore_point)),
            (WrappedSession(self.session, storage.wrap(self.session_key, session_place)),),
        )


def backup(
    path: Path,
    source: Source,
    *,
    roots: Roots | None,
    base: UUID | None = None,
    compress: bool = True,
    restore_point: UUID | None = None,
    protection: Protection | None = None,
    progress: OnProgress | None = None,
) -> BackupResult:
    """Back `source` up into the job folder `path`, made if missing; with `base` as an increment.

    `roots` gives the root of the keyring as found; None writes a plain restore point. With `protection` the
    storage key is wrapped for its keysets too. What cannot be read in the source is a warning. Raises
    SourceRefused, NoKeyring, WrongPassword, and what `open_chain` raises for `base`.
    """
    point = restore_point or uuid4()
    with ExitStack() as stack:
        tree = stack.enter_context(open_source(source))
        folder = stack.enter_context(open_folder(path, create=True))
        if roots is not None:
            _refuse_wrong_password(folder, roots)
        chain = None if base is None else stack.enter_context(open_chain(folder, base, roots))
        if chain is not None and chain.tip.header.block_size != BLOCK_SIZE:
            raise BrokenChain(
                f"Restore point {base} has blocks of another size: the next one must be a full."
            )
        with folder.locked():
            clean_up(folder)
        part = stack.enter_context(Part(folder, data_name(point)))
        return _Run(folder, source, tree, point, roots, chain, part, protection).write(compress, progress)


def _refuse_wrong_password(folder: JobFolder, roots: Roots) -> None:
    # Before hours of reading, not after.
    with open_keyring(folder) as (head, _file):
        head.open(roots(head))


@dataclass
class _Run:
    folder: JobFolder
    source: Source
    tree: OpenTree
    point: UUID
    roots: Roots | None
    chain: Chain | None
    part: Part
    protection: Protection | None

    def write(self, compress: bool, progress: OnProgress | None) -> BackupResult:
        created = datetime.now(UTC).replace(microsecond=0)
        keys = None if self.roots is None else _NewKeys(self.point)
        header = new_header(
            self.folder.job,
            self.point,
            kind=FULL if self.chain is None else INCREMENT,
            created=created.strftime(TIME_FORM),
            keys=None if keys is None else keys.wrapped,
        )
        self.part.write(header.prefix())
        spool, warnings, source_bytes = Spool(), list[str](), 0
        writer = BlockWriter(
            self.part.write,
            header.first_block,
            session=self.point if keys is None else keys.session,
            key=None if keys is None else keys.session_key,
            compress=compress,
        )
        source_bytes = self._read_all(spool, writer, warnings, progress)
        self._finish(spool, header, None if keys is None else keys.metakey)
        user_key = self._name_it(keys)
        return BackupResult(
            restore_point=self.point,
            kind=header.kind,
            base=self._base,
            created=created,
            size=self.part.size,
            source_bytes=source_bytes,
            entries=spool.entries,
            storage_key=None if keys is None else keys.storage_key_id,
            user_key=user_key,
            warnings=tuple(warnings),
        )

    @property
    def _base(self) -> UUID | None:
        return None if self.chain is None else self.chain.tip.restore_point

    def _read_all(
        self, spool: Spool, writer: BlockWriter, warnings: list[str], progress: OnProgress | None
    ) -> int:
        ticker = Ticker(progress)
        scanner = Scanner(self.tree, self.source, warnings, never=os.fstat(self.folder.fd))
        cursor = None if self.chain is None else Cursor(self.chain.tip)
        with PieceReader(BLOCK_SIZE) as pieces:
            reader = EntryReader(self.tree, scanner, writer, cursor, pieces, ticker)
            for found in scanner:
                entry = reader.read(found)
                if entry is not None:
                    spool.add(entry)
                    ticker.add(0, files=1)
        ticker.tell()
        return ticker.bytes

    def _finish(self, spool: Spool, header: Header, metakey: bytes | None) -> None:
        offset = self.part.size
        length = write_metadata(
            spool.frame(self._base), self.part.write, key=metakey, header_digest=header.digest
        )
        self.part.write(header.trailer(offset, length))
        self.part.sync()

    def _name_it(self, keys: _NewKeys | None) -> UUID | None:
        """Append the key line and rename, in one hold of the lock: a re-key sees both or neither."""
        with self.folder.locked():
            if self.folder.status(self.part.name) is not None:
                raise RestorePointExists(f"There is a restore point {self.point} already; take a fresh uuid.")
            if keys is None or self.roots is None:
                self.part.rename()
                return None
            if self.protection is not None:
                # Before the key line: a restore point that exists can be recovered.
                protecting.write(
                    self.folder, self.point, keys.storage_key_id, keys.storage_key, self.protection
                )
            head = append_key(
                self.folder,
                self.roots,
                restore_point=self.point,
                storage_key=keys.storage_key_id,
                key=keys.storage_key,
            )
            self.part.rename()
            return head.user_key
