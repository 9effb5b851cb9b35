"""Restore points of a Veeam server: read into a file, then bound to the passwords that they need, in pieces.

Nowhere does Veeam say under which password a restore point stands. It follows from the password that its job
had when it was made; with agents the newest password opens the whole chain.
"""

import struct
import tempfile
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO
from uuid import UUID, uuid5

from django.db import connection, transaction

from encryption.engines.veeam.inventory import Point
from encryption.models import RestorePoint, VeeamServer

# id, backup, microseconds since 1970, size.
_ROW = struct.Struct("<16s16sqq")
_PIECE = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# How far apart the objects of one run may lie, when a full is estimated.
_ONE_RUN = timedelta(days=2)
_LOW = 2**64 - 1

_INSERT = """
    INSERT INTO encryption_restorepoint
        (id, job_id, kind, created_at, size, source_bytes, entries, password_version_id)
    SELECT v.id, v.job, 'point', v.created_at, 0, v.source_bytes, 0, v.version
    FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::bigint[], %s::uuid[])
        AS v(id, job, created_at, source_bytes, version)
    ON CONFLICT (id) DO UPDATE SET dropped_at = NULL WHERE encryption_restorepoint.dropped_at IS NOT NULL
"""
_DROP = "UPDATE encryption_restorepoint SET dropped_at = %s WHERE id = ANY(%s) AND dropped_at IS NULL"
# The chain of an agent's job since its newest restore point without encryption.
_REBIND_AGENTS = """
    WITH newest AS (
        SELECT DISTINCT ON (job_id) job_id, password_version_id AS version FROM encryption_restorepoint
        WHERE job_id = ANY(%s) AND dropped_at IS NULL ORDER BY job_id, created_at DESC
    ), plain AS (
        SELECT job_id, max(created_at) AS at FROM encryption_restorepoint
        WHERE job_id = ANY(%s) AND dropped_at IS NULL AND password_version_id IS NULL GROUP BY job_id
    )
    UPDATE encryption_restorepoint p SET password_version_id = n.version
    FROM newest n LEFT JOIN plain ON plain.job_id = n.job_id
    WHERE p.job_id = n.job_id AND n.version IS NOT NULL AND p.dropped_at IS NULL
      AND p.password_version_id IS DISTINCT FROM n.version AND p.password_version_id IS NOT NULL
      AND (plain.at IS NULL OR p.created_at > plain.at)
"""
_WRITE_FULLS = """
    UPDATE encryption_veeamjob j SET full_bytes = v.size
    FROM unnest(%s::uuid[], %s::bigint[]) AS v(id, size)
    WHERE j.job_id = v.id AND j.full_bytes IS DISTINCT FROM v.size
"""
_COUNT = """
    UPDATE encryption_veeamjob j SET tally = c.tally
    FROM (
        SELECT v.job_id, coalesce(jsonb_object_agg(p.version, p.n) FILTER (WHERE p.n > 0), '{}') AS tally
        FROM encryption_veeamjob v LEFT JOIN (
            SELECT job_id, coalesce(password_version_id::text, '') AS version, count(*) AS n
            FROM encryption_restorepoint WHERE dropped_at IS NULL GROUP BY 1, 2
        ) p ON p.job_id = v.job_id
        WHERE v.server_id = %s GROUP BY 1
    ) c
    WHERE j.job_id = c.job_id AND j.tally <> c.tally
"""


@dataclass(slots=True)
class Spool:
    """Restore points as they were read, in a file; in memory stands a number for each, and one an object."""

    server: UUID
    file: IO[bytes]
    count: int = 0
    newest: datetime | None = None
    # The oldest of each backup, by its id there.
    oldest: dict[UUID, datetime] = field(default_factory=dict)
    ids: "array[int]" = field(default_factory=lambda: array("Q"))
    # The newest of each object of each backup: when it was made, and how much it read.
    objects: dict[tuple[UUID, int], tuple[datetime, int]] = field(default_factory=dict)

    def add(self, point: Point) -> None:
        """Take one restore point; one without a backup belongs to nobody."""
        if point.backup is None:
            return
        ours = uuid5(self.server, str(point.id))
        size = max(point.size or 0, 0)
        made = (point.created_at - _EPOCH) // _MICROSECOND
        self.file.write(_ROW.pack(ours.bytes, point.backup.bytes, made, min(size, 2**62)))
        self.ids.append(ours.int & _LOW)
        self.count += 1
        if self.newest is None or point.created_at > self.newest:
            self.newest = point.created_at
        if point.created_at < self.oldest.get(point.backup, point.created_at + _MICROSECOND):
            self.oldest[point.backup] = point.created_at
        key = (point.backup, hash(point.name))
        if key not in self.objects or self.objects[key][0] < point.created_at:
            self.objects[key] = (point.created_at, size)

    def rows(self) -> Iterator[tuple[UUID, UUID, datetime, int]]:
        """Return them again: our id, the backup's there, when it was made, how much it read."""
        self.file.seek(0)
        while piece := self.file.read(_ROW.size * _PIECE):
            for identity, backup, made, size in _ROW.iter_unpack(piece):
                yield UUID(bytes=identity), UUID(bytes=backup), _EPOCH + made * _MICROSECOND, size


@contextmanager
def spool(server: UUID, points: Iterable[Point], tell: Callable[[int], None]) -> Iterator[Spool]:
    """Read restore points into a file that is gone with the block. Raises EngineError."""
    with tempfile.TemporaryFile(prefix="veeamsec-points-") as file:
        found = Spool(server, file)
        for point in points:
            found.add(point)
            if found.count % 1_000 == 0:
                tell(found.count)
        yield found


@dataclass(frozen=True, slots=True)
class Owner:
    """The job that a backup belongs to, and which of its versions each time stands for."""

    job: UUID
    # Ascending; the version from then on, None: without encryption. The first begins before all time.
    starts: tuple[datetime, ...]
    versions: tuple[UUID | None, ...]

    def version_at(self, moment: datetime) -> UUID | None:
        """Return the version that a restore point made at a moment needs."""
        return self.versions[max(bisect_right(self.starts, moment) - 1, 0)]


def bind(found: Spool, owners: Mapping[UUID, Owner], tell: Callable[[int], None]) -> int:
    """Write the restore points of backups that have an owner, in pieces; returns how many were read."""
    piece: list[tuple[UUID, UUID, datetime, int, UUID | None]] = []
    done = 0
    for identity, backup, made, size in found.rows():
        owner = owners.get(backup)
        if owner is not None:
            piece.append((identity, owner.job, made, size, owner.version_at(made)))
        if len(piece) >= _PIECE:
            _insert(piece)
            done += len(piece)
            tell(done)
            piece.clear()
    _insert(piece)
    return done + len(piece)


def _insert(piece: list[tuple[UUID, UUID, datetime, int, UUID | None]]) -> None:
    if not piece:
        return
    # One that was listed twice would be updated twice by one statement, which is refused.
    rows = {row[0]: row for row in piece}.values()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_INSERT, [list(column) for column in zip(*rows, strict=True)])


def retire(server: VeeamServer, found: Spool, now: datetime) -> int:
    """Mark as gone what a full list does not show any more; returns how many."""
    listed = array("Q", sorted(found.ids))
    live = RestorePoint.objects.filter(job__veeam__server=server, dropped_at=None, created_at__lt=now)
    gone: list[UUID] = []
    for (identity,) in live.order_by().values_list("pk").iterator(chunk_size=_PIECE):
        place = bisect_left(listed, identity.int & _LOW)
        if place == len(listed) or listed[place] != identity.int & _LOW:
            gone.append(identity)
    for start in range(0, len(gone), _PIECE):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_DROP, [now, gone[start : start + _PIECE]])
    return len(gone)


def rebind_agents(jobs: list[UUID]) -> None:
    """Bind the chains of agents' jobs to the newest version, which opens them whole."""
    if jobs:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_REBIND_AGENTS, [jobs, jobs])


def count(server: VeeamServer) -> None:
    """Count the live restore points of each job by the version that they need, for who shows them all."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_COUNT, [server.pk])


def estimate(found: Spool, owners: Mapping[UUID, Owner]) -> None:
    """Note, of each job with new restore points, how much a new full would read by the newest of them."""
    sizes = _fulls(found, owners)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_WRITE_FULLS, [list(sizes), list(sizes.values())])


def _fulls(found: Spool, owners: Mapping[UUID, Owner]) -> dict[UUID, int]:
    newest: dict[UUID, datetime] = {}
    of_jobs: list[tuple[UUID, datetime, int]] = []
    for (backup, _), (made, size) in found.objects.items():
        if (owner := owners.get(backup)) is not None:
            of_jobs.append((owner.job, made, size))
            newest[owner.job] = max(newest.get(owner.job, made), made)
    totals: dict[UUID, int] = {}
    for job, made, size in of_jobs:
        if newest[job] - made <= _ONE_RUN:
            totals[job] = totals.get(job, 0) + size
    return totals
