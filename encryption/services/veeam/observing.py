"""What is so at a Veeam server, beside what was known: differences, drifts, what was observed of jobs.

One reading is compared in one transaction. What a step of ours did while it was read is left for the next
one; what cannot be read changes nothing but an alarm.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from audit import services as audit
from audit.alarms import Kind
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from encryption.engines.veeam.client import VeeamClient
from encryption.errors import EngineError, VeeamGone
from encryption.models import Drift, VeeamJob, VeeamRepository, VeeamServer
from encryption.services.veeam import coverage, drifting, joblist, passwords, places, reading, servers
from encryption.services.veeam.explaining import Explaining
from encryption.services.veeam.reading import Reading


def observe(job_ids: Collection[UUID]) -> list[str]:
    """Read jobs anew, each of its own server, as before a change of them; the names of their open drifts.

    Raises EngineError when a server cannot be read.
    """
    rows = VeeamJob.objects.filter(job__in=job_ids, gone_at=None).select_related("server__repository")
    of_servers: dict[UUID, list[VeeamJob]] = {}
    for row in rows:
        of_servers.setdefault(row.server_id, []).append(row)
    for jobs in of_servers.values():
        _observe_some(jobs[0].server, jobs)
    drifts = Drift.objects.filter(job__in=job_ids, closed_at=None).exclude(what__in=Drift.GAPS)
    return list(drifts.order_by("what").values_list("what", flat=True).distinct())


def _observe_some(server: VeeamServer, jobs: Collection[VeeamJob]) -> None:
    with servers.client_for(server) as client:
        servers.identify(server, client)
        found = Reading(timezone.now(), unread={"repositories"})
        reading.read_passwords(client, found)
        for row in jobs:
            try:
                job = reading.job_of(client.job(row.external), {})
            except VeeamGone:
                continue
            found.jobs[job.external] = replace(job, description=row.description)
        note(server, client, found, only=frozenset(row.external for row in jobs))


def note(
    server: VeeamServer,
    client: VeeamClient,
    found: Reading,
    *,
    oldest: Mapping[UUID, datetime] | None = None,
    only: frozenset[UUID] | None = None,
) -> Explaining:
    """Compare a reading with what was known, in one transaction; `only` for a reading of these jobs alone.

    `oldest`: by the ids there of passwords, when the oldest restore point was made that each may open.
    """
    ids = dict(VeeamJob.objects.filter(server=server).values_list("external", "job"))
    blocks = {ids[job.external]: job.blocks for job in found.jobs.values() if job.external in ids}
    explaining = Explaining(server, found)
    proved = passwords.prove_moved(client, server, found, explaining, blocks)
    with audit.act(by=audit.WORKER, subject=server.repository):
        locked = servers.locked(server.pk)
        # Steps may have ended while Veeam was asked.
        explaining = Explaining(locked, found)
        noting = passwords.Noting(locked, found, explaining, blocks, ids, proved, oldest or {})
        _note_within(noting, only)
    return explaining


def _note_within(noting: passwords.Noting, only: frozenset[UUID] | None) -> None:
    server, found = noting.server, noting.reading
    noting.drifts = drifting.open_drifts(server)
    if "repositories" in found.unread:
        rows = VeeamRepository.objects.filter(server=server)
        where = dict(rows.values_list("external", "pk"))
    else:
        where = places.note_within(server, found.places, found.began_at)
    keys = passwords.note_within(noting)
    joblist.note_within(noting, keys, where, only=only)
    drifting.settle_within(noting.differences)
    for thing in noting.touched.values():
        drifting.sound_within(thing)
    if only is None:
        coverage.note_within(server, found)
        server.compared_at = max(found.began_at, server.compared_at or found.began_at)
        server.error = ""
        server.save(update_fields=["compared_at", "error"])
        resolve_alarm_within(Kind.UNOBSERVED, server.repository)


def note_away(server: VeeamServer, error: EngineError | OSError) -> None:
    """Say on the row of a connected server, and by an alarm, why it was not read; what was known stays."""
    said = error.message if isinstance(error, EngineError) else "The connection broke."
    with audit.act(by=audit.WORKER, subject=server.repository):
        connected = VeeamServer.objects.filter(pk=server.pk).exclude(mode=VeeamServer.Mode.OFF)
        if not connected.update(error=said, progress={}):
            return
        text = f"The Veeam server {server.repository.name} was not read: {said}"
        raise_alarm_within(Kind.UNOBSERVED, server.repository, Alarm.Severity.WARNING, text)
