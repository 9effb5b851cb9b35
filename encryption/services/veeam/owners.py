"""Whose a backup is, and under which version of which password its job wrote at each time."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import F

from encryption.models import Job, PasswordVersion, VeeamJob, VeeamServer
from encryption.services.veeam import reading
from encryption.services.veeam.points import Owner
from encryption.services.veeam.reading import BackupRead, Reading

_WRITE_BACKUPS = """
    UPDATE encryption_veeamjob j SET backups = v.backups::jsonb
    FROM unnest(%s::uuid[], %s::text[]) AS v(id, backups) WHERE j.job_id = v.id
"""
_EVER = datetime.min.replace(tzinfo=UTC)


@transaction.atomic
def note_backups(server: VeeamServer, found: Reading) -> dict[UUID, UUID]:
    """Note which job keeps which backup; returns our job by the backup's id there.

    A backup whose job is gone stays that job's. One whose job was never known here gets a job of the type
    "orphaned", of which nobody can tell what encrypted it.
    """
    rows = {row.external: row for row in VeeamJob.objects.filter(server=server).select_related("job")}
    known = {UUID(name): row for row in rows.values() for name in row.backups}
    mine: dict[UUID, UUID] = {}
    grown: dict[UUID, VeeamJob] = {}
    for backup in found.backups.values():
        row = rows.get(backup.job) if backup.job is not None else None
        row = row or known.get(backup.external) or rows.get(backup.external) or _orphan(server, backup, found)
        rows.setdefault(row.external, row)
        mine[backup.external] = row.job_id
        if str(backup.external) not in row.backups:
            row.backups = [*row.backups, str(backup.external)]
            grown[row.job_id] = row
    if grown:
        names = [json.dumps(row.backups) for row in grown.values()]
        with connection.cursor() as cursor:
            cursor.execute(_WRITE_BACKUPS, [list(grown), names])
    return mine


def _orphan(server: VeeamServer, backup: BackupRead, found: Reading) -> VeeamJob:
    job = Job.objects.create(
        id=uuid4(),
        name=backup.name or "(a backup without a name)",
        repository_id=server.pk,
        state=Job.State.DISABLED,
        created_at=found.began_at,
    )
    return VeeamJob.objects.create(
        job=job,
        server=server,
        external=backup.external,
        type=VeeamJob.ORPHANED,
        is_disabled=True,
        terms=[{"from": None, "password": None}],
        seen_at=found.began_at,
    )


def owners(
    server: VeeamServer, backups: Mapping[UUID, UUID], busy: set[UUID]
) -> tuple[dict[UUID, Owner], list[UUID]]:
    """Return the owner of each backup by its id there, and the jobs of agents.

    A job that a step of ours works on right now has none yet: its restore points wait for the next reading.
    """
    rows = {row.job_id: row for row in VeeamJob.objects.filter(server=server)}
    spans = _spans(server)
    made: dict[UUID, Owner] = {}
    for job in set(backups.values()) - busy:
        made[job] = _owner(rows[job], spans)
    agents = [job for job, row in rows.items() if reading.is_agent(row.type) and job not in busy]
    return {backup: made[job] for backup, job in backups.items() if job in made}, agents


# The versions of a password, each with when it began; the first of them counts from the beginning.
Spans = Mapping[UUID, Sequence[tuple[datetime, UUID]]]


def _spans(server: VeeamServer) -> Spans:
    rows = PasswordVersion.objects.filter(password__veeam__server=server)
    # One that a request prepared and that is not in force yet opens nothing.
    rows = rows.exclude(in_force_from=None, request__isnull=False)
    ordered = rows.order_by("password_id", F("in_force_from").asc(nulls_first=True), "number")
    found: dict[UUID, list[tuple[datetime, UUID]]] = {}
    for password, version, since in ordered.values_list("password_id", "pk", "in_force_from"):
        of_password = found.setdefault(password, [])
        of_password.append((since if of_password and since is not None else _EVER, version))
    return found


def _owner(row: VeeamJob, spans: Spans) -> Owner:
    starts: list[datetime] = []
    versions: list[UUID | None] = []
    terms = row.terms or [{"from": None, "password": None}]
    for place, term in enumerate(terms):
        since = datetime.fromisoformat(term["from"]) if term["from"] else _EVER
        until = terms[place + 1]["from"] if place + 1 < len(terms) else None
        end = datetime.fromisoformat(until) if until else None
        for start, version in _of_term(row, term["password"], spans):
            begins = max(since, start)
            if end is not None and begins >= end:
                continue
            if starts and begins <= starts[-1]:
                versions[-1] = version
                continue
            starts.append(begins)
            versions.append(version)
    return Owner(row.job_id, tuple(starts), tuple(versions))


def _of_term(row: VeeamJob, password: str | None, spans: Spans) -> Sequence[tuple[datetime, UUID | None]]:
    of_password = spans.get(UUID(password), ()) if password else ()
    if not of_password:
        return [(_EVER, None)]
    return [(_EVER, of_password[-1][1])] if reading.is_agent(row.type) else of_password


def oldest_of(found: Reading, oldest: Mapping[UUID, datetime]) -> dict[UUID, datetime]:
    """Return when the oldest restore point was made that each password may open, by the password's id there.

    With agents the newest password opens all of them, so that nothing older is needed.
    """
    ages: dict[UUID, datetime] = {}
    for backup in found.backups.values():
        job = found.jobs.get(backup.job) if backup.job is not None else None
        made = oldest.get(backup.external)
        if job is None or made is None or reading.is_agent(job.type) or not job.blocks:
            continue
        first = job.blocks[0]
        if first["enabled"] and first["kind"] != "kms" and first["password"]:
            password = UUID(str(first["password"]))
            ages[password] = min(ages.get(password, made), made)
    return ages
