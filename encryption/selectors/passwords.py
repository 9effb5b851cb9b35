"""Passwords, their versions and re-keys: what is in force and what each version still opens."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet

from accounts.models import User
from encryption import rules
from encryption.errors import Unknown
from encryption.models import (
    AdoptedJob,
    EncryptionPassword,
    Engine,
    Job,
    PasswordVersion,
    Rekey,
    RekeyJob,
    RestorePoint,
    VeeamPassword,
    VeeamRepository,
)
from encryption.selectors.jobs import jobs_for


@dataclass(frozen=True, slots=True)
class VersionUse:
    """One version of a password, and what it still opens of one job (or of all)."""

    version: PasswordVersion
    points: int
    oldest: datetime | None
    newest: datetime | None
    in_force: bool


def key_step(job_id: UUID) -> RekeyJob | None:
    """Return the executed step that gave a job its keyring's user key, with its version.

    None when there is no keyring by the record: never one, or removed when its password was erased.
    """
    return key_steps([job_id]).get(job_id)


def key_steps(job_ids: Iterable[UUID]) -> dict[UUID, RekeyJob]:
    """Return the `key_step` of each of many jobs that has one, in one query."""
    done = RekeyJob.objects.filter(
        job__in=list(job_ids), state=RekeyJob.State.SUCCEEDED, user_key__isnull=False
    )
    newest = done.select_related("rekey__version").order_by("job_id", "-ended_at").distinct("job_id")
    return {
        step.job_id: step
        for step in newest
        if step.rekey.version is not None and step.rekey.version.erased_at is None
    }


def current_version(job_id: UUID) -> PasswordVersion | None:
    """Return the version that a job's key is under by the record, whether or not it is activated now."""
    return current_versions([job_id]).get(job_id)


def current_versions(job_ids: Iterable[UUID]) -> dict[UUID, PasswordVersion]:
    """Return the `current_version` of each of many jobs that has one, in as many queries as for one.

    Of an adopted job that no step has re-keyed it is the one that its keyring was found under; of a Veeam
    job, which has no keyring, it is the newest that was seen of the password that it is given.
    """
    ids = list(job_ids)
    at_veeam = dict(Job.objects.filter(pk__in=ids, veeam__isnull=False).values_list("pk", "password"))
    found = {
        job: step.rekey.version
        for job, step in key_steps(ids).items()
        if job not in at_veeam and step.rekey.version is not None
    }
    for row in adopted_keyrings().filter(job__in=set(ids) - found.keys() - at_veeam.keys()):
        if row.version is not None:
            found[row.job_id] = row.version
    newest = newest_versions(password for password in at_veeam.values() if password is not None)
    return found | {job: newest[name] for job, name in at_veeam.items() if name in newest}


def newest_versions(password_ids: Iterable[UUID]) -> dict[UUID, PasswordVersion]:
    """Return the newest version of each of many passwords, in one query."""
    rows = PasswordVersion.objects.filter(password__in=set(password_ids)).order_by("password_id", "-number")
    return {row.password_id: row for row in rows.distinct("password_id")}


def version_of_user_key(job_id: UUID, user_key: UUID) -> PasswordVersion | None:
    """Return the version behind a user key that a keyring names; only what a worker wrote counts."""
    step = RekeyJob.objects.filter(job=job_id, user_key=user_key).select_related("rekey__version").first()
    if step is not None:
        return step.rekey.version
    adopted = AdoptedJob.objects.filter(job=job_id, user_key=user_key).select_related("version").first()
    return adopted.version if adopted else None


def key_expected(job_id: UUID) -> str:
    """Return the fingerprint that a job's keyring has by the record, empty where there is none."""
    step = key_step(job_id)
    if step is not None:
        return rules.key_of(step)
    adopted = adopted_keyrings().filter(job=job_id).first()
    return adopted.fingerprint if adopted else ""


def adopted_keyrings() -> QuerySet[AdoptedJob]:
    """Return the adopted jobs whose keyring is still the one that was found, with its version."""
    keyed = RekeyJob.objects.filter(
        job=OuterRef("job"), state=RekeyJob.State.SUCCEEDED, user_key__isnull=False
    )
    found = AdoptedJob.objects.filter(~Exists(keyed), version__isnull=False, version__erased_at=None)
    return found.select_related("version")


def versions_of(job: Job) -> list[VersionUse]:
    """Return the versions that a job has or needs, newest first, with what each still opens."""
    current = current_version(job.pk)
    used = RestorePoint.objects.filter(job=job, dropped_at=None, password_version__isnull=False)
    needed = Q(pk__in=used.values("password_version"))
    if job.password_id:
        needed |= Q(password=job.password_id)
    if current:
        needed |= Q(pk=current.pk)
    return _uses(PasswordVersion.objects.filter(needed), used, {current.pk} if current else set())


def versions_of_password(password: EncryptionPassword) -> list[VersionUse]:
    """Return a password's versions, newest first, with what each still opens in all jobs together."""
    used = RestorePoint.objects.filter(dropped_at=None, password_version__password=password)
    under = current_versions(job.pk for job in jobs_of_password(password.pk))
    current = {version.pk for version in under.values()}
    return _uses(password.versions.all(), used, current)


def _uses(
    versions: QuerySet[PasswordVersion], used: QuerySet[RestorePoint], in_force: set[UUID]
) -> list[VersionUse]:
    counts = {
        row["password_version"]: row
        for row in used.order_by()
        .values("password_version")
        .annotate(n=Count("pk"), oldest=Min("created_at"), newest=Max("created_at"))
    }
    found = []
    for version in versions.select_related("password").order_by("-created_at", "-number"):
        row: Any = counts.get(version.pk, {})
        use = VersionUse(
            version, row.get("n", 0), row.get("oldest"), row.get("newest"), version.pk in in_force
        )
        found.append(use)
    return found


def running_rekey(job: Job) -> RekeyJob | None:
    """Return the step that a job is in, if one is under way."""
    return RekeyJob.objects.filter(job=job, state__in=RekeyJob.OPEN).select_related("rekey").first()


def rekey_for(rekey_id: UUID, user: User) -> Rekey:
    """Return a re-key of which a person may see a job. Raises Unknown."""
    seen = Rekey.objects.filter(pk=rekey_id, steps__job__in=jobs_for(user)).distinct()
    rekey = seen.select_related("version__password").prefetch_related("steps__job").first()
    if rekey is None:
        raise Unknown("There is no such re-key, or it is not yours to see.")
    return rekey


def passwords_for(user: User) -> QuerySet[EncryptionPassword]:
    """Return the passwords (hints and versions, never values) that a person may see."""
    if not user.has_perm("encryption.view_encryptionpassword"):
        return EncryptionPassword.objects.none()
    live = EncryptionPassword.objects.filter(deleted_at=None).prefetch_related("versions", "jobs")
    return live.order_by("hint", "pk")


def jobs_of_password(password_id: UUID) -> list[Job]:
    """Return the jobs that a change of this password re-keys: activated with it, or keyed under it.

    Only the native engine leaves a keyring behind when encryption is switched off.
    """
    keyed = (
        RekeyJob.objects.filter(state=RekeyJob.State.SUCCEEDED, user_key__isnull=False)
        .order_by("job_id", "-ended_at")
        .distinct("job_id")
    )
    last = RekeyJob.objects.filter(pk__in=keyed.values("pk"), rekey__version__password=password_id)
    jobs = Job.objects.exclude(state=Job.State.DELETED).select_related("repository")
    under = Q(pk__in=last.values("job"), repository__engine=Engine.NATIVE)
    under |= Q(pk__in=adopted_keyrings().filter(version__password=password_id).values("job"))
    return list(jobs.filter(Q(password=password_id) | under).order_by("name"))


def needs_of(password_id: UUID) -> list[str]:
    """Return, by the record, what still needs a version of this password, each as a sentence."""
    found = [f"{job.name} is activated with it." for job in Job.objects.filter(password=password_id)]
    used = RestorePoint.objects.filter(dropped_at=None, password_version__password=password_id)
    counted = used.order_by().values_list("job__name").annotate(Count("pk")).order_by("job__name")
    for name, count in counted:
        points = "1 restore point" if count == 1 else f"{count} restore points"
        found.append(f"{points} of {name} open with it alone.")
    if RekeyJob.objects.filter(rekey__version__password=password_id, state__in=RekeyJob.OPEN).exists():
        found.append("An approved change with it is being carried out.")
    return found + _needs_at_veeam(password_id)


def _needs_at_veeam(password_id: UUID) -> list[str]:
    """Return what a Veeam server encrypts with a password beside its jobs."""
    there = VeeamPassword.objects.filter(password=password_id).select_related("server").first()
    if there is None:
        return []
    named = str(there.external)
    found = [
        f"The {tier['tier']} tier of {place.name} is encrypted with it."
        for place in VeeamRepository.objects.filter(server=there.server_id, gone_at=None).order_by("name")
        for tier in place.tiers
        if tier.get("encrypted") and named in (str(tier.get("password")), str(tier.get("kms")))
    ]
    if str(there.server.configuration_backup.get("password")) == named:
        found.append(f"The configuration backup of {there.server} is encrypted with it.")
    return found


def newest_version(password_id: UUID) -> PasswordVersion | None:
    """Return the newest version of a password."""
    return PasswordVersion.objects.filter(password=password_id).order_by("-number").first()
