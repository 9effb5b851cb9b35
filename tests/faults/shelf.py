"""A job of many restore points: real ones, and beside them key lines that the engine's own writer wrapped."""

import os
from uuid import UUID, uuid4

from django.db import connection

from encryption import selectors
from encryption.crypto import kdf
from encryption.crypto.wrap import KeyWrapper
from encryption.engines.native.folder import KEYRING
from encryption.engines.native.keylines import storage_place
from encryption.engines.native.keyring import KeyLine, KeyringHead, parse_line, read_head, read_lines
from encryption.errors import WrongKey
from encryption.models import PasswordVersion
from encryption.services import vault
from tests.encryption.conftest import Bench

_ROWS = """
    INSERT INTO encryption_restorepoint
        (id, job_id, kind, created_at, size, source_bytes, entries, storage_key, password_version_id)
    SELECT pair.point, %s, 'full', timestamptz '2026-01-01' + pair.number * interval '1 second',
        4096, 4096, 1, pair.key, %s
    FROM unnest(%s::uuid[], %s::uuid[]) WITH ORDINALITY AS pair(point, key, number)
"""


def fill(bench: Bench, points: int) -> None:
    """Add so many restore points to an activated job: real wrapped keys, and the rows that tell of them."""
    version = selectors.current_version(bench.job.pk)
    ids = [(uuid4(), uuid4()) for _ in range(points)]
    with (bench.folder / KEYRING).open("r+b") as file:
        head = read_head(file)
        wrapper = KeyWrapper(kdf.user_key(vault.root_of(version), head.job, head.user_key))
        file.seek(0, os.SEEK_END)
        for point, key in ids:
            wrapped = wrapper.wrap(os.urandom(32), storage_place(head, point, key))
            file.write(KeyLine(str(point), str(key), wrapped).raw())
    with connection.cursor() as cursor:
        cursor.execute(
            _ROWS, [bench.job.pk, version.pk, [point for point, _ in ids], [key for _, key in ids]]
        )


def opened_by(bench: Bench, version: PasswordVersion, sample: int | None = None) -> tuple[int, int]:
    """Return how many lines of the keyring a version opens, whatever the head commits to, and of how many.

    Of a sample evenly spread, or of all.
    """
    with (bench.folder / KEYRING).open("rb") as file:
        head = read_head(file)
        lines = list(read_lines(file))
    if sample is not None:
        lines = lines[:: max(1, len(lines) // sample)]
    wrapper = KeyWrapper(kdf.user_key(vault.root_of(version), head.job, head.user_key))
    return sum(_opens(wrapper, head, parse_line(raw)) for raw in lines), len(lines)


def _opens(wrapper: KeyWrapper, head: KeyringHead, line: KeyLine) -> bool:
    try:
        wrapper.unwrap(line.wrapped, storage_place(head, line.restore_point, line.storage_key))
    except WrongKey:
        return False
    return True


def line_points(bench: Bench) -> set[UUID]:
    """Return the restore points that have a key line."""
    with (bench.folder / KEYRING).open("rb") as file:
        read_head(file)
        return {UUID(parse_line(raw).restore_point) for raw in read_lines(file)}
