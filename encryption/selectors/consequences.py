"""What follows from a request for jobs of a Veeam server; there a change is never retroactive."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Count, Max

from encryption.models import EncryptionPassword, Job, PasswordVersion, RestorePoint, VeeamJob, VeeamServer
from encryption.selectors.standing import Standing, points, row


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of the jobs of one request, read in as many queries as for one."""

    jobs: Mapping[UUID, VeeamJob]
    needed: Mapping[UUID, Counter[PasswordVersion]]
    largest: Mapping[UUID, int]
    copies: Mapping[UUID, list[VeeamJob]] = field(default_factory=dict)


def at_veeam(
    standing: Sequence[Standing], kind: str, *, start: str, password: UUID | None
) -> list[dict[str, Any]]:
    """Return what follows from a request of `kind`, one fact a row."""
    seen = _seen([stands.job for stands in standing])
    is_kms = (
        password is not None and EncryptionPassword.objects.filter(pk=password, veeam__is_kms=True).exists()
    )
    found = []
    for stands in standing:
        if kind == "deactivate_encryption":
            found += _of_deactivation(stands, seen)
        else:
            found += _of_change(stands, seen, kind == "activate_encryption", start, is_kms)
    if kind != "deactivate_encryption":
        found += _of_servers(seen)
    return found


def _seen(jobs: Sequence[Job]) -> _Seen:
    ids = [job.pk for job in jobs]
    rows = VeeamJob.objects.filter(job__in=ids).select_related("server", "target", "job")
    live = RestorePoint.objects.filter(job__in=ids, dropped_at=None).order_by()
    counted = live.exclude(password_version=None).values_list("job", "password_version").annotate(Count("pk"))
    versions = PasswordVersion.objects.in_bulk({version for _, version, _ in counted})
    needed: dict[UUID, Counter[PasswordVersion]] = defaultdict(Counter)
    for job, version, count in counted:
        needed[job][versions[version]] = count
    largest = dict(live.values_list("job").annotate(Max("size")))
    found = {one.job_id: one for one in rows}
    return _Seen(found, needed, largest, _copies(list(found.values())))


def _copies(jobs: Sequence[VeeamJob]) -> dict[UUID, list[VeeamJob]]:
    """Return, of each job, the jobs that copy it and write in clear."""
    named: dict[tuple[UUID, str], set[UUID]] = defaultdict(set)
    for one in jobs:
        names = [str(one.external), *(f"backup:{backup}" for backup in one.backups)]
        names += [f"repository:{one.target.external}"] if one.target is not None else []
        for name in names:
            named[one.server_id, name].add(one.job_id)
    servers = {one.server_id for one in jobs}
    found: dict[UUID, list[VeeamJob]] = defaultdict(list)
    copying = VeeamJob.objects.filter(server__in=servers, gone_at=None).exclude(copies=[])
    for copy in copying.select_related("job").order_by("job__name"):
        if any(block["enabled"] for block in copy.blocks):
            continue
        for source in copy.copies:
            for job in sorted(named.get((copy.server_id, source), set()) - {copy.job_id}):
                found[job].append(copy)
    return found


def _of_change(
    stands: Standing, seen: _Seen, activation: bool, start: str, is_kms: bool
) -> list[dict[str, Any]]:
    job = stands.job
    when = "its run that is started at once" if start == "now" else "its next run"
    under = "the key of the KMS server" if is_kms else "the new password"
    was_plain = activation and stands.version is None
    text = f"{job.name} writes under {under} from {when} on; what it wrote before stays as it is."
    rows = [row(job, "not_retroactive", text, start=start), *_older(stands, seen)]
    if was_plain:
        rows.append(_full(stands, seen, start))
    for copy in seen.copies.get(job.pk, ()):
        text = f"{copy.job.name} copies {job.name}, and writes its copy without encryption."
        rows.append(row(job, "copy_decrypts", text, copy=str(copy.job_id)))
    return rows


def _older(stands: Standing, seen: _Seen) -> list[dict[str, Any]]:
    """Say which restore points need which password afterwards."""
    job, rows = stands.job, []
    if stands.plain:
        text = f"{points(stands.plain, capital=True)} of {job.name} stay readable without a password."
        rows.append(row(job, "plain", text, plain_points=stands.plain))
    needed = sorted(seen.needed.get(job.pk, Counter()).items(), key=lambda one: (one[0].hint, one[0].number))
    for version, count in needed:
        known = "" if version.sealed_password is not None else " (nobody here has proved to know it)"
        text = (
            f"{points(count, capital=True)} of {job.name} keep needing “{version.hint}”, version"
            f" {version.number}{known}."
        )
        rows.append(row(job, "needs", text, points=count, password_version=str(version.pk)))
    return rows


def _of_deactivation(stands: Standing, seen: _Seen) -> list[dict[str, Any]]:
    job = stands.job
    text = f"Whoever reaches the repository reads what {job.name} writes from its next run on."
    return [row(job, "unprotected", text), *_older(stands, seen), _full(stands, seen, "next_run")]


def _full(stands: Standing, seen: _Seen, start: str) -> dict[str, Any]:
    job, there = stands.job, seen.jobs.get(stands.job.pk)
    estimate, place = seen.largest.get(job.pk), there.target if there else None
    free = place.free_bytes if place else None
    when = "at once" if start == "now" else "with its next run"
    size = f" of about {estimate:,} bytes" if estimate is not None else ""
    room = f"; {free:,} bytes are free in {place}" if free is not None else ""
    short = " That is not enough." if estimate is not None and free is not None and free < estimate else ""
    text = f"{job.name} writes a new full backup{size} {when}{room}.{short}"
    return row(job, "full", text, estimated_bytes=estimate, free_bytes=free, start=start)


def _of_servers(seen: _Seen) -> list[dict[str, Any]]:
    servers: dict[UUID, VeeamServer] = {one.server_id: one.server for one in seen.jobs.values()}
    found = []
    for server in servers.values():
        state = server.configuration_backup
        if state.get("enabled") and not state.get("encrypted"):
            text = (
                f"The configuration backup of {server} is not encrypted: once a password is on the server, it"
                " does not run until somebody encrypts it."
            )
            found.append(
                {"name": str(server), "server": str(server.pk), "text": text, "what": "configuration"}
            )
    return found
