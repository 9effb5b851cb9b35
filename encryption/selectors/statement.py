"""What a request's statement says: its targets as they stand, and what follows from a yes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from encryption.errors import Unknown
from encryption.models import EncryptionPassword, Job, RestorePoint
from encryption.selectors.jobs import jobs_named, uses_of
from encryption.selectors.passwords import key_steps, newest_version, versions_of_password


def target_facts(target: UUID) -> dict[str, Any]:
    """Return what a request's statement says of a job or password at this moment. Raises Unknown."""
    job = Job.objects.filter(pk=target).exclude(state=Job.State.DELETED).first()
    if job is not None:
        return facts_of_jobs([job])[0]
    password = EncryptionPassword.objects.filter(pk=target, deleted_at=None).first()
    if password is None:
        raise Unknown("There is no such job or password.")
    newest = newest_version(password.pk)
    used = RestorePoint.objects.filter(dropped_at=None, password_version__password=password).count()
    return {
        "fingerprint": "",
        "id": str(password.pk),
        "name": password.hint,
        "password_version": str(newest.pk) if newest else None,
        "plain_points": 0,
        "restore_points": used,
        "type": "password",
    }


def facts_of_jobs(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Return the `target_facts` of many jobs, in as many queries as for one."""
    return [
        {
            "fingerprint": stands.job.observed_fingerprint,
            "id": str(stands.job.pk),
            "name": stands.job.name,
            "password_version": str(stands.version) if stands.version else None,
            "plain_points": stands.plain,
            "restore_points": stands.plain + stands.encrypted,
            "type": "job",
        }
        for stands in _standing(jobs)
    ]


@dataclass(frozen=True, slots=True)
class _Standing:
    """One job with what its facts and consequences depend on."""

    job: Job
    plain: int
    encrypted: int
    version: UUID | None
    full: int | None


def _standing(jobs: Sequence[Job]) -> list[_Standing]:
    uses, steps = uses_of(jobs), key_steps(job.pk for job in jobs)
    fulls = RestorePoint.objects.filter(job__in=jobs, kind=RestorePoint.Kind.FULL, dropped_at=None)
    newest = fulls.order_by("job_id", "-created_at").distinct("job_id")
    sizes = dict(newest.values_list("job_id", "size"))
    return [
        _Standing(
            job=job,
            plain=uses[job.pk].points - uses[job.pk].encrypted_points,
            encrypted=uses[job.pk].encrypted_points,
            version=steps[job.pk].rekey.version_id if job.pk in steps else None,
            full=sizes.get(job.pk),
        )
        for job in jobs
    ]


def consequences(
    job_ids: Iterable[UUID],
    kind: str,
    *,
    scope: str = "keys",
    start: str = "next_run",
    then: str = "keep",
    password: UUID | None = None,
) -> list[dict[str, Any]]:
    """Return what follows from a request of `kind`, one fact a row, each also as a sentence (`text`).

    `kind` is the request's kind; `password` the one that a deletion names. Numbers are those of this moment.
    """
    if kind == "delete_password":
        return _of_deletion(password)
    found = []
    for stands in _standing(jobs_named(job_ids)):
        if kind == "deactivate_encryption":
            found += _of_deactivation(stands, then)
        else:
            found += _of_rekey(stands, activation=kind == "activate_encryption", scope=scope, start=start)
    return found


def _row(job: Job, what: str, text: str, **facts: int | str | None) -> dict[str, Any]:
    return {"job": str(job.pk), "name": job.name, "text": text, "what": what, **facts}


def _of_rekey(stands: _Standing, *, activation: bool, scope: str, start: str) -> list[dict[str, Any]]:
    job, plain, encrypted = stands.job, stands.plain, stands.encrypted
    rows = []
    if stands.version is not None or encrypted:
        text = (
            f"The new password opens {_points(encrypted)} of {job.name}; the former one opens none of them."
        )
        rows.append(_row(job, "opens", text, encrypted_points=encrypted))
        if scope == "keys":
            text = (
                "Storage keys and data stay as they are: who kept an old keyring and knows the former"
                " password still opens the restore points of that time."
            )
            rows.append(_row(job, "old_keyring", text))
    if plain:
        stay = _points(plain, capital=True)
        text = f"{stay} of {job.name} stay readable without a password until they retire."
        rows.append(_row(job, "plain", text, plain_points=plain))
    if activation or scope == "data":
        rows.append(_full(stands, start))
    return rows


def _of_deactivation(stands: _Standing, then: str) -> list[dict[str, Any]]:
    job = stands.job
    rows = [
        _row(job, "unprotected", f"Whoever reaches the repository reads what {job.name} writes from now on.")
    ]
    if stands.encrypted and then == "delete":
        text = f"{_points(stands.encrypted, capital=True)} go once a plain full backup has succeeded."
        rows.append(_row(job, "deleted", text, encrypted_points=stands.encrypted))
    elif stands.encrypted:
        text = f"{_points(stands.encrypted, capital=True)} keep needing their password until they retire."
        rows.append(_row(job, "opens", text, encrypted_points=stands.encrypted))
    rows.append(_full(stands, "next_run"))
    return rows


def _of_deletion(password: UUID | None) -> list[dict[str, Any]]:
    found = EncryptionPassword.objects.filter(pk=password).first() if password else None
    if found is None:
        raise Unknown("There is no such password.")
    points = sum(use.points for use in versions_of_password(found))
    text = f"Every version of “{found.hint}” is erased; nothing opens {_points(points)} that need it."
    if not points:
        text = f"Every version of “{found.hint}” is erased; no restore point needs it."
    return [{"name": found.hint, "password": str(found.pk), "points": points, "text": text, "what": "erased"}]


def _full(stands: _Standing, start: str) -> dict[str, Any]:
    job, estimate, free = stands.job, stands.full, stands.job.repository.free_bytes
    when = "at once" if start == "now" else "with its next run"
    size = f" of about {estimate:,} bytes" if estimate is not None else ""
    room = f"; {free:,} bytes are free" if free is not None else ""
    text = f"{job.name} writes a new full backup{size} {when}{room}."
    return _row(job, "full", text, estimated_bytes=estimate, free_bytes=free, start=start)


def _points(count: int, *, capital: bool = False) -> str:
    if count == 0:
        return "No restore point" if capital else "no restore point"
    return "1 restore point" if count == 1 else f"{count} restore points"
