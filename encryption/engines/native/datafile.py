"""One data file, opened for reading: checked head and tail, its keys, its metadata, its blocks."""

import fcntl
import os
from collections.abc import Iterator
from typing import BinaryIO
from uuid import UUID

from encryption.crypto.wrap import KeyWrapper, associated
from encryption.engines.native.blocks import Block, BlockReader
from encryption.engines.native.entries import Entry
from encryption.engines.native.folder import JobFolder, data_name
from encryption.engines.native.header import (
    FULL,
    PREFIX_BYTES,
    TRAILER_BYTES,
    Header,
    header_length,
    metadata_place,
    parse_header,
)
from encryption.engines.native.metadata import MetadataReader
from encryption.engines.native.opening import StorageKeys
from encryption.errors import (
    BrokenChain,
    DamagedFile,
    NoRestorePoint,
    PasswordNeeded,
    PlainInEncrypted,
    WrongJob,
    WrongName,
)


class DataFile:
    """A restore point's data file under a shared lease: it is not replaced or removed while this is open."""

    def __init__(self, folder: JobFolder, restore_point: UUID) -> None:
        """Open and check; raises NoRestorePoint, NotABackup, DamagedFile, WrongName, WrongJob."""
        self.restore_point = restore_point
        self._file = _open_leased(folder, restore_point)
        try:
            self.length = os.fstat(self._file.fileno()).st_size
            self.header = self._read_header(folder)
            self._file.seek(max(0, self.length - TRAILER_BYTES))
            trailer = self._file.read(TRAILER_BYTES)
            self.metadata_offset, self._metadata_length = metadata_place(self.header, trailer, self.length)
        except BaseException:
            self.close()
            raise
        self.base: UUID | None = None

    def _read_header(self, folder: JobFolder) -> Header:
        length = header_length(self._file.read(PREFIX_BYTES))
        raw = self._file.read(length)
        if len(raw) != length:
            raise DamagedFile("The file ends within its header. Take the file from a copy.")
        header = parse_header(raw)
        if header.restore_point != self.restore_point:
            raise WrongName(
                f"{data_name(self.restore_point)} holds restore point {header.restore_point}: it was renamed."
            )
        if header.job != folder.job:
            raise WrongJob(
                f"{data_name(self.restore_point)} belongs to job {header.job}, not to {folder.job}."
            )
        return header

    def unlock(self, ring: StorageKeys | None) -> None:
        """Open metadata and blocks with the job's keyring, or, with None, as a plain file.

        Raises PlainInEncrypted, PasswordNeeded, MissingKeyLine, WrongKey, WrongPassword, and BrokenChain when
        kind and base disagree.
        """
        keys = self.header.keys
        if ring is None:
            if keys is not None:
                raise PasswordNeeded(f"Restore point {self.restore_point} is encrypted: give its password.")
            self._open_content(None, None)
            return
        if keys is None:
            raise PlainInEncrypted(
                f"Restore point {self.restore_point} is not encrypted although a password was given. If it is"
                " meant to be plain, ask for it without a password."
            )
        storage = KeyWrapper(ring.storage_key(self.restore_point, keys.storage_key))
        metakey = storage.unwrap(keys.meta, associated("meta", self.restore_point))
        sessions = [
            (session, storage.unwrap(wrapped, associated("session", self.restore_point, session)))
            for session, wrapped in keys.sessions
        ]
        self._open_content(metakey, sessions)

    def _open_content(self, metakey: bytes | None, sessions: list[tuple[UUID, bytes]] | None) -> None:
        self._blocks = BlockReader(sessions, self.header.block_size)
        self._metadata = MetadataReader(
            self._file,
            offset=self.metadata_offset,
            length=self._metadata_length,
            key=metakey,
            header_digest=self.header.digest,
            block_size=self.header.block_size,
        )
        self.base = self._metadata.head().base
        if (self.header.kind == FULL) != (self.base is None):
            raise BrokenChain(
                f"Restore point {self.restore_point} is of kind {self.header.kind} and its base"
                f" is {self.base}."
            )

    def entries(self) -> Iterator[Entry]:
        """Yield the entries in order, each from the file anew."""
        return self._metadata.entries()

    def check_block(self, block: Block) -> None:
        """Raise DamagedFile unless the block lies where blocks lie and names a session of this file."""
        end = block.offset + block.length
        if (
            block.offset < self.header.first_block
            or end > self.metadata_offset
            or block.length > self._blocks.longest
            or block.session >= self._blocks.session_count
        ):
            raise DamagedFile(
                f"A block of restore point {self.restore_point} lies outside of its file's blocks."
            )

    def read_block(self, block: Block, length: int) -> bytes | memoryview:
        """Return the piece of `length` bytes in a block; raises DamagedBlock."""
        stored = os.pread(self._file.fileno(), block.length, block.offset)
        return self._blocks.open(block, stored, length)

    def close(self) -> None:
        """Give the lease back."""
        self._file.close()


def _open_leased(folder: JobFolder, restore_point: UUID) -> BinaryIO:
    name = data_name(restore_point)
    while True:
        try:
            file = folder.read(name)
        except FileNotFoundError:
            raise NoRestorePoint(f"{folder.path} holds no restore point {restore_point}.") from None
        fcntl.flock(file, fcntl.LOCK_SH)
        # Between opening and lease it may have been replaced or removed.
        status = folder.status(name)
        if status is not None and os.path.samestat(status, os.fstat(file.fileno())):
            return file
        file.close()
