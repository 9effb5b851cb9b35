"""Many small restore points of one job, by the writers of the engine, without a run and a sync for each."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

from encryption.crypto.wrap import KeyWrapper
from encryption.engines.native import protection as protecting
from encryption.engines.native.backup import _NewKeys
from encryption.engines.native.folder import KEYRING, data_name
from encryption.engines.native.header import FULL, new_header
from encryption.engines.native.keylines import storage_place
from encryption.engines.native.keyring import KeyLine, read_head
from encryption.engines.native.metadata import Spool, write_metadata
from encryption.engines.native.protection import Protection
from tests.encryption.native.conftest import roots


def fill(job: Path, points: int, by: Protection) -> list[UUID]:
    """Add so many restore points of an empty folder: data file, key line and recovery lines of each."""
    with (job / KEYRING).open("r+b") as file:
        head = read_head(file)
        wrapper = KeyWrapper(head.open(roots(head)))
        file.seek(0, os.SEEK_END)
        found = []
        for point, keys in _points(job, points):
            place = storage_place(head, point, keys.storage_key_id)
            wrapped = wrapper.wrap(keys.storage_key, place)
            file.write(KeyLine(str(point), str(keys.storage_key_id), wrapped).raw())
            lines = by.lines(head.job, point, keys.storage_key_id, keys.storage_key)
            (job / protecting.recovery_name(point)).write_bytes(b"".join(line + b"\n" for line in lines))
            found.append(point)
    return found


def _points(job: Path, points: int) -> Iterator[tuple[UUID, _NewKeys]]:
    for _ in range(points):
        point = uuid4()
        keys = _NewKeys(point)
        header = new_header(
            UUID(job.name), point, kind=FULL, created="2026-11-02T12:00:00Z", keys=keys.wrapped
        )
        parts = [header.prefix()]
        offset = len(parts[0])
        length = write_metadata(
            Spool().frame(None), parts.append, key=keys.metakey, header_digest=header.digest
        )
        parts.append(header.trailer(offset, length))
        (job / data_name(point)).write_bytes(b"".join(parts))
        yield point, keys
