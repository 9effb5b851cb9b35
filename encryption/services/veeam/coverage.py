"""What is not encrypted at a Veeam server: jobs, copies that decrypt, tiers, the configuration backup.

A gap is a drift without an alarm: it wants a reason that Security accepts, and stays closed for as long as
the same is found.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from audit import services as audit
from audit.events import Event
from encryption import selectors
from encryption.models import Drift, Rekey, RekeyJob, VeeamJob, VeeamRepository, VeeamServer
from encryption.services.veeam import reading
from encryption.services.veeam.reading import Reading

What = Drift.What

# What is open of one thing: (what kind of gap, the job's id or None for the server) → what was found.
Gaps = dict[tuple[str, UUID | None], dict[str, Any]]


def note_within(server: VeeamServer, found: Reading) -> None:
    """Open and close the gaps of a server by what its rows say now."""
    gaps = _of_jobs(server) | _of_server(server)
    newest = _newest(server)
    for key, what_is in gaps.items():
        drift = newest.get(key)
        if drift is None or not _holds(drift, what_is):
            if drift is not None and drift.closed_at is None:
                drift.found = what_is
                drift.save(update_fields=["found"])
            else:
                _open(server, key, what_is)
    for key, drift in newest.items():
        if key not in gaps and "ended" not in drift.found:
            _end(drift)


def _holds(drift: Drift, what_is: Mapping[str, Any]) -> bool:
    """Say whether a gap is known as it is: open, or explained by Security."""
    known = drift.closed_at is None or drift.explained_by is not None
    return known and selectors.found_of(drift) == dict(what_is)


def _newest(server: VeeamServer) -> dict[tuple[str, UUID | None], Drift]:
    rows = Drift.objects.filter(what__in=Drift.GAPS)
    mine = rows.filter(job__repository=server.pk) | rows.filter(repository=server.pk)
    newest = mine.order_by("what", "job_id", "repository_id", "-found_at", "-pk").distinct(
        "what", "job_id", "repository_id"
    )
    return {(drift.what, drift.job_id): drift for drift in newest.select_related("job", "repository")}


def _open(server: VeeamServer, key: tuple[str, UUID | None], what_is: Mapping[str, Any]) -> None:
    what, job = key
    place = None if job is not None else server.pk
    drift = Drift.objects.create(what=what, job_id=job, repository_id=place, found=dict(what_is))
    subject = ("encryption.job", job) if job is not None else server.repository
    audit.record(Event.DRIFT_FOUND, subject=subject, facts={"drift": drift.pk, "what": what})


def _end(drift: Drift) -> None:
    """Close a gap that is no more; one that Security explained needs a new reason should it come again."""
    drift.found = {**drift.found, "ended": f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}"}
    was_open = drift.closed_at is None
    if was_open:
        drift.closed_at = timezone.now()
    drift.save(update_fields=["found", "closed_at"])
    if was_open:
        subject = drift.job or drift.repository
        audit.record(Event.DRIFT_CLOSED, subject=subject, facts={"drift": drift.pk, "what": drift.what})


def _of_jobs(server: VeeamServer) -> Gaps:
    jobs = list(VeeamJob.objects.filter(server=server, gone_at=None).exclude(blocks=[]).select_related("job"))
    known = _known_reasons(server)
    encrypted = {str(job.external) for job in jobs if job.blocks[0]["enabled"]}
    at_places = _encrypted_places(jobs)
    of_backups = {name: str(job.external) for job in jobs for name in job.backups}
    gaps: Gaps = {}
    for job in jobs:
        off = [block["path"] for block in job.blocks if not block["enabled"]]
        if not off or (off[0] == job.blocks[0]["path"] and job.job_id in known):
            continue
        sources = [
            name
            for name in job.copies
            if name in encrypted
            or name.removeprefix("repository:") in at_places
            or of_backups.get(name.removeprefix("backup:")) in encrypted
        ]
        is_copy = len(off) < len(job.blocks) or (reading.is_copy(job.type) and sources)
        what = What.VEEAM_COPY_PLAIN if is_copy else What.VEEAM_JOB_PLAIN
        gaps[what, job.job_id] = {"paths": off, "sources": sources} if is_copy else {"paths": off}
    return gaps


def _encrypted_places(jobs: list[VeeamJob]) -> set[str]:
    """Return the ids there of repositories that hold backups of encrypted jobs."""
    wanted = {job.target_id for job in jobs if job.blocks[0]["enabled"] and job.target_id}
    rows = VeeamRepository.objects.filter(pk__in=wanted)
    return {str(external) for external in rows.values_list("external", flat=True)}


def _known_reasons(server: VeeamServer) -> set[UUID]:
    """Return the jobs whose lack of encryption has another name: an open drift, or a decided deactivation."""
    drifts = Drift.objects.filter(job__repository=server.pk, what=What.VEEAM_ENCRYPTION_OFF)
    known = [drift for drift in drifts if drift.closed_at is None or drift.explained_by is not None]
    off = {drift.job_id for drift in known if drift.job_id is not None}
    steps = RekeyJob.objects.filter(job__repository=server.pk, state=RekeyJob.State.SUCCEEDED)
    newest = steps.order_by("job_id", "-ended_at").distinct("job_id").select_related("rekey")
    return off | {step.job_id for step in newest if step.rekey.action == Rekey.Action.DEACTIVATE}


def _of_server(server: VeeamServer) -> Gaps:
    gaps: Gaps = {}
    rows = VeeamRepository.objects.filter(server=server, gone_at=None).exclude(tiers=[])
    plain = [
        {"name": row.name, "repository": str(row.external), "tier": tier["tier"]}
        for row in rows.order_by("external")
        for tier in row.tiers
        # An archive tier that does not say is not known, which is no gap.
        if tier["enabled"] and tier["encrypted"] is False
    ]
    if plain:
        gaps[What.VEEAM_TIER_PLAIN, None] = {"tiers": plain}
    backup = server.configuration_backup
    if "enabled" in backup and not (backup["enabled"] and backup["encrypted"]):
        said = {"enabled": backup["enabled"], "encrypted": backup["encrypted"]}
        gaps[What.VEEAM_CONFIGURATION_PLAIN, None] = said
    return gaps
