"""Jobs of a Veeam server as read, compared with what the last poll saw of their encryption."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from encryption import rules
from encryption.models import (
    Drift,
    Job,
    RestorePoint,
    VeeamDifference,
    VeeamEvent,
    VeeamJob,
)
from encryption.services.jobs import end_alarms_within
from encryption.services.veeam.passwords import Noting, external_of
from encryption.services.veeam.reading import JobRead, time_text

_CHANGED, _OFF = Drift.What.VEEAM_ENCRYPTION_CHANGED, Drift.What.VEEAM_ENCRYPTION_OFF
_JOB_SETTINGS_UPDATED = 23050
_BATCH = 500

_WRITE_KEYS = """
    UPDATE encryption_job j SET observed_fingerprint = v.fingerprint, password_id = v.password
    FROM unnest(%s::uuid[], %s::text[], %s::uuid[]) AS v(id, fingerprint, password)
    WHERE j.id = v.id AND j.state <> 'deleted'
      AND (j.observed_fingerprint, j.password_id) IS DISTINCT FROM (v.fingerprint, v.password)
"""
_SEE = """
    UPDATE encryption_job SET observed_at = %s
    WHERE id IN (SELECT id FROM encryption_job WHERE id = ANY(%s) ORDER BY id FOR UPDATE)
"""

Keys = Mapping[UUID, UUID]


def note_within(
    noting: Noting, passwords: Keys, places: Keys, *, only: frozenset[UUID] | None = None
) -> None:
    """Write what was read of the jobs; `only`: these alone were read, by their ids there.

    `passwords` and `places` give our ids by theirs.
    """
    rows = VeeamJob.objects.filter(server=noting.server).select_related("job")
    known = {row.external: row for row in rows.exclude(type=VeeamJob.ORPHANED)}
    _add(
        noting, [job for job in noting.reading.jobs.values() if job.external not in known], passwords, places
    )
    quiet: list[VeeamJob] = []
    for external, row in known.items():
        job = noting.reading.jobs.get(external)
        if row.job_id in noting.explaining.busy_jobs or row.job.state == Job.State.DELETED:
            continue
        if noting.is_newer(row):
            continue
        if job is not None:
            _compare(noting, row, job, passwords, places)
            quiet.append(row)
        elif only is None and row.gone_at is None:
            _note_gone(noting, row)
    _write_keys(noting, quiet, passwords)


def fingerprint_of(noting: Noting, blocks: Iterable[Mapping[str, Any]]) -> str:
    """Return the fingerprint of a job with these blocks, under the passwords as they were read."""
    return rules.veeam_fingerprint(noting.server.pk, blocks, noting.reading.modified)


def password_of(blocks: Sequence[Mapping[str, Any]], passwords: Keys) -> UUID | None:
    """Return our id of the password that a job's first place of encryption names; it speaks for the job."""
    external = external_of(blocks[0]) if blocks else None
    return passwords.get(external) if external is not None else None


def _add(noting: Noting, fresh: Sequence[JobRead], passwords: Keys, places: Keys) -> None:
    began = noting.reading.began_at
    jobs, rows = [], []
    for read in fresh:
        key = password_of(read.blocks, passwords)
        job = Job(
            id=uuid4(), name=read.name, repository_id=noting.server.pk, password_id=key, created_at=began
        )
        job.state = Job.State.DISABLED if read.is_disabled else Job.State.ACTIVE
        job.observed_fingerprint, job.observed_at = fingerprint_of(noting, read.blocks), began
        row = VeeamJob(job=job, server=noting.server, external=read.external, seen_at=began)
        _write(row, read, places)
        row.polled = {"blocks": list(read.blocks)}
        row.terms = [{"from": None, "password": str(key) if key else None}]
        jobs.append(job)
        rows.append(row)
    Job.objects.bulk_create(jobs, batch_size=_BATCH)
    VeeamJob.objects.bulk_create(rows, batch_size=_BATCH)
    if noting.is_first:
        return
    for job, row in zip(jobs, rows, strict=True):
        if job.observed_fingerprint:
            _differ(noting, row, [], row.blocks, None)
            found = {"after": row.blocks, "before": [], "expected": "", "found": job.observed_fingerprint}
            noting.drift(_CHANGED, job, found)


def _compare(noting: Noting, row: VeeamJob, read: JobRead, passwords: Keys, places: Keys) -> None:
    blocks = list(read.blocks)
    former = row.polled.get("blocks")
    moved = former is not None and former != blocks
    fingerprint = fingerprint_of(noting, blocks)
    if moved:
        step = noting.explaining.step_of(row.job_id, fingerprint)
        at = _moment(noting, row, step.started_at if step is not None else None)
        _differ(noting, row, former or [], blocks, at)
        if step is None:
            _open(noting, row, former or [], blocks, fingerprint)
        _begin_term(row, password_of(blocks, passwords), at)
    if former is not None and row.job_id in noting.drifts:
        _reconsider(noting, row, blocks, fingerprint)
    if _write(row, read, places) or moved or former is None or row.gone_at is not None:
        row.polled, row.gone_at = {"blocks": blocks}, None
        row.save()
    state = Job.State.DISABLED if read.is_disabled else Job.State.ACTIVE
    if (row.job.name, row.job.state) != (read.name, state):
        row.job.name, row.job.state = read.name, state
        row.job.save(update_fields=["name", "state"])


def _open(
    noting: Noting,
    row: VeeamJob,
    former: Sequence[Mapping[str, Any]],
    blocks: Sequence[Mapping[str, Any]],
    fingerprint: str,
) -> None:
    """Open the drift of an unexplained change; what was expected before an open one stays expected."""
    expected = noting.explaining.expected_of(row.job_id)
    found: dict[str, Any] = {
        "after": list(blocks),
        "before": list(former),
        "expected": fingerprint_of(noting, former) if expected is None else expected,
        "found": fingerprint,
    }
    for drift in noting.drifts.get(row.job_id, ()):
        if drift.what in (_CHANGED, _OFF):
            found |= {name: drift.found[name] for name in ("before", "expected") if name in drift.found}
    what, other = (_CHANGED, _OFF) if fingerprint else (_OFF, _CHANGED)
    noting.close(row.job, other)
    noting.drift(what, row.job, found)


def _reconsider(noting: Noting, row: VeeamJob, blocks: Sequence[Mapping[str, Any]], fingerprint: str) -> None:
    """Close what was undone, and what a request explains by now."""
    explained = noting.explaining.step_of(row.job_id, fingerprint) is not None
    for drift in list(noting.drifts.get(row.job_id, ())):
        undone = drift.found.get("expected") == fingerprint or drift.found.get("before") == list(blocks)
        if drift.what in (_CHANGED, _OFF) and (explained or undone):
            noting.close(row.job, drift.what)


def _differ(
    noting: Noting, row: VeeamJob, former: Sequence[Any], blocks: Sequence[Any], at: datetime | None
) -> None:
    before = {"blocks": list(former), "fingerprint": fingerprint_of(noting, former)}
    after = {"blocks": list(blocks), "fingerprint": fingerprint_of(noting, blocks)}
    what = VeeamDifference.What.JOB_ENCRYPTION
    noting.differ(what, row.job, before, after, happened_at=at)


def _moment(noting: Noting, row: VeeamJob, executed: datetime | None) -> datetime | None:
    """Return when a job was changed: by our step, or by what its server's syslog told; None: not known."""
    if executed is not None:
        return executed
    told = VeeamEvent.objects.filter(
        server=noting.server, number=_JOB_SETTINGS_UPDATED, subject=str(row.external)
    )
    if noting.server.compared_at is not None:
        told = told.filter(happened_at__gt=noting.server.compared_at)
    return told.order_by("-happened_at").values_list("happened_at", flat=True).first()


def _begin_term(row: VeeamJob, password: UUID | None, at: datetime | None) -> None:
    """Note which password the job gives its restore points from when on; in doubt since it was read last."""
    key = str(password) if password else None
    if not row.terms or row.terms[-1]["password"] != key:
        since = at or row.seen_at
        row.terms = [*row.terms, {"from": time_text(since), "password": key}]


def _note_gone(noting: Noting, row: VeeamJob) -> None:
    """Note that a job is gone there; its restore points stay on record, and its encryption ends with it."""
    row.gone_at = noting.reading.began_at
    row.save(update_fields=["gone_at"])
    former = list(row.polled.get("blocks") or [])
    if encrypted := fingerprint_of(noting, former):
        before = {"blocks": former, "fingerprint": encrypted}
        noting.differ(VeeamDifference.What.JOB_ENCRYPTION, row.job, before, {"gone": True})
        found = {"after": [], "before": former, "expected": encrypted, "found": "", "gone": True}
        noting.close(row.job, _CHANGED)
        noting.drift(_OFF, row.job, found)
    job = row.job
    job.password, job.state = None, Job.State.DISABLED
    job.save(update_fields=["password", "state"])
    end_alarms_within(job)
    if not encrypted and not RestorePoint.objects.filter(job=job, dropped_at=None).exists():
        job.state = Job.State.DELETED
        job.save(update_fields=["state"])


def _write_keys(noting: Noting, rows: Sequence[VeeamJob], passwords: Keys) -> None:
    """Write what was observed of the jobs' keys: one statement for what changed, one for what was seen."""
    changed: list[tuple[UUID, str, UUID | None]] = []
    for row in rows:
        read = noting.reading.jobs[row.external]
        key, fingerprint = password_of(read.blocks, passwords), fingerprint_of(noting, read.blocks)
        if (row.job.password_id, row.job.observed_fingerprint) != (key, fingerprint):
            changed.append((row.job_id, fingerprint, key))
    began = noting.reading.began_at
    with connection.cursor() as cursor:
        if changed:
            changed.sort(key=lambda one: one[0])
            cursor.execute(_WRITE_KEYS, [list(column) for column in zip(*changed, strict=True)])
        cursor.execute(_SEE, [began, [row.job_id for row in rows]])
    seen = VeeamJob.objects.filter(server=noting.server, job__in=[row.job_id for row in rows])
    seen.update(seen_at=began)


def _write(row: VeeamJob, read: JobRead, places: Keys) -> bool:
    wanted: dict[str, Any] = {
        "type": read.type,
        "description": read.description,
        "is_disabled": read.is_disabled,
        "target_id": places.get(read.target) if read.target is not None else None,
        "blocks": list(read.blocks),
        "copies": list(read.copies),
    }
    changed = any(getattr(row, name) != value for name, value in wanted.items())
    for name, value in wanted.items():
        setattr(row, name, value)
    return changed
