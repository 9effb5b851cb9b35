"""Repositories and jobs: made, changed, ended; what would touch encryption needs a request (P2)."""

import hashlib
import unicodedata
from collections.abc import Callable, Set
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.utils import timezone

from accounts.errors import NotEligible
from accounts.models import User
from audit import services as audit
from audit.alarms import Kind
from audit.events import Event
from audit.services.alarms import resolve_alarm_within
from encryption import rules, selectors
from encryption.crypto.encoding import canonical
from encryption.errors import JobBusy, JobRefused, Outdated, PlaceRefused, RequestNeeded, Unknown
from encryption.models import AdoptedJob, Engine, Job, RekeyJob, Repository

# Says whether a revision is one that the change was made from.
Seen = Callable[[str], bool]
_LONGEST_FACT = 2000
# Directions of writing, and signs without a width.
_TURNING = frozenset("\u200b\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# What only an executed request writes; named so that the refusal can say so.
DECIDED_FIELDS = frozenset({"password", "password_id", "full_next", "encryption", "encrypted"})
# What is noted here beside what Veeam keeps; the rest is changed there, and encryption by a request.
_BESIDE_VEEAM = frozenset({"data_category", "records_reference"})
_BESIDE_SERVER = selectors.REPOSITORY_FIELDS - {"location"}


def create_repository(*, by: User, **fields: Any) -> Repository:
    """Name a folder under VEEAMSEC_ROOTS as a place. Raises PlaceRefused, JobRefused, NotEligible."""
    with audit.attempt(by=by, subject="repository") as attempt:
        _check_may(by, "add_repository")
        repository = Repository(id=uuid4())
        _set(repository, fields, selectors.REPOSITORY_FIELDS)
        _check_repository(repository)
        _make_folder(Path(repository.location))
        with attempt.act():
            repository.save(force_insert=True)
            audit.record(Event.REPOSITORY_CREATED, subject=repository, facts=_facts(fields))
    return repository


def change_repository(
    repository_id: UUID, *, by: User, seen: Seen | None = None, **fields: Any
) -> Repository:
    """Change a repository; one with encryption or restore points stays where it is. Raises likewise.

    `seen` judges the revision under the lock; Outdated when it is not the one that the change was made from.
    """
    with audit.act(by=by, subject=("encryption.repository", repository_id)):
        _check_may(by, "change_repository")
        repository = _locked_repository(repository_id)
        _check_seen(repository, seen)
        _check_ours(repository, fields.keys())
        former = repository.location
        _set(repository, fields, selectors.REPOSITORY_FIELDS)
        if repository.engine == Engine.VEEAM:
            check_name(repository)
        else:
            _check_repository(repository)
        if repository.location != former:
            for job in Job.objects.filter(repository=repository).order_by("pk"):
                rules.check_move(selectors.use_of(job))
                _check_idle(job)
        repository.save(update_fields=sorted(fields))
        audit.record(Event.REPOSITORY_CHANGED, subject=repository, facts=_facts(fields))
    return repository


def delete_repository(repository_id: UUID, *, by: User, seen: Seen | None = None) -> None:
    """Forget a repository that no job uses or used; its folder is left alone. Raises JobRefused, Outdated."""
    with audit.act(by=by, subject=("encryption.repository", repository_id)):
        _check_may(by, "change_repository")
        repository = _locked_repository(repository_id)
        _check_seen(repository, seen)
        _check_ours(repository, {"location"})
        if repository.jobs.exists():
            raise JobRefused("Jobs write or wrote into this repository, so it stays on record.")
        audit.record(Event.REPOSITORY_DELETED, subject=repository, names={"repository": repository.name})
        repository.delete()


def create_job(*, by: User, **fields: Any) -> Job:
    """Make a job; it writes without encryption until a request activates it.

    Raises JobRefused, PlaceRefused, RequestNeeded, NotEligible.
    """
    with audit.act(by=by, subject="job"):
        _check_may(by, "add_job")
        job = Job(id=uuid4())
        _set(job, fields, selectors.JOB_FIELDS)
        if job.state == Job.State.DELETED:
            raise JobRefused("A job is not made deleted.")
        _check_job(job)
        job.next_run_at = rules.next_run(None, minutes=job.schedule_minutes, now=timezone.now())
        job.save(force_insert=True)
        audit.record(Event.JOB_CREATED, subject=job, facts=_facts(fields))
    return job


def change_job(job_id: UUID, *, by: User, seen: Seen | None = None, **fields: Any) -> Job:
    """Change what a job does; whatever touches its encryption is refused with a pointer to the request (P2).

    `seen` as for a repository. Raises JobRefused, PlaceRefused, RequestNeeded, NotEligible, Unknown,
    Outdated.
    """
    with audit.act(by=by, subject=("encryption.job", job_id)):
        job = _locked_job(job_id, by, "change")
        _check_seen(job, seen)
        _check_ours(job, fields.keys())
        place, minutes = job.repository_id, job.schedule_minutes
        if fields.get("state") == Job.State.DELETED:
            raise JobRefused("A job is deleted by its own call, not by a change of state.")
        _set(job, fields, selectors.JOB_FIELDS)
        if job.repository_id != place:
            rules.check_move(selectors.use_of(job))
            _check_idle(job)
        if not fields.keys() <= _BESIDE_VEEAM:
            _check_job(job)
        changed = set(fields)
        if job.schedule_minutes != minutes:
            job.next_run_at = rules.next_run(None, minutes=job.schedule_minutes, now=timezone.now())
            changed.add("next_run_at")
        job.save(update_fields=sorted(changed))
        audit.record(Event.JOB_CHANGED, subject=job, facts=_facts(fields))
    return job


def delete_job(job_id: UUID, *, by: User, seen: Seen | None = None) -> None:
    """End a job without encryption; its plain restore points stay on record and on disk.

    Raises RequestNeeded for a job with encryption or encrypted restore points (P2), JobBusy while a step of a
    re-key waits, NotEligible, Unknown, Outdated.
    """
    with audit.act(by=by, subject=("encryption.job", job_id)):
        job = _locked_job(job_id, by, "delete")
        _check_seen(job, seen)
        _check_ours(job, {"state"})
        rules.check_deletion(selectors.use_of(job))
        _check_idle(job)
        job.state = Job.State.DELETED
        job.next_run_at = None
        # The name is free again for another job.
        name, job.name = job.name, f"{job.name[:80]} ({job.pk})"
        job.save(update_fields=["state", "next_run_at", "name"])
        audit.record(Event.JOB_DELETED, subject=job, facts={"name": name})
        end_alarms_within(job)


def end_alarms_within(job: Job) -> None:
    """End what is told of the runs of a job that is gone; a drift stays, for Security to explain."""
    for kind in (Kind.JOB_FAILED, Kind.DISK_FULL, Kind.UNOBSERVED, Kind.VEEAM_UNEXPLAINED):
        resolve_alarm_within(kind, job)


def _locked_repository(repository_id: UUID) -> Repository:
    found = Repository.objects.select_for_update().filter(pk=repository_id).first()
    if found is None:
        raise Unknown("There is no such repository, or it is not yours to see.")
    return found


def _locked_job(job_id: UUID, by: User, verb: str) -> Job:
    selectors.job_detail(job_id, by)
    job = Job.objects.select_for_update(of=("self",)).select_related("repository").get(pk=job_id)
    if not selectors.may(by, verb, job):
        raise NotEligible(f"Your role does not allow you to {verb} this job.")
    return job


def _check_seen(row: Job | Repository, seen: Seen | None) -> None:
    if seen is not None and not seen(selectors.revision(row)):
        raise Outdated(f"{row.name} was changed since you read it.")


def _check_idle(job: Job) -> None:
    # Approved for this job in this place (P5); without either the step could never end.
    if RekeyJob.objects.filter(job=job, state__in=RekeyJob.OPEN).exists():
        raise JobBusy(f"An approved change of {job.name}'s encryption is being carried out; wait for it.")


def _check_may(by: User, permission: str) -> None:
    if not by.has_perm(f"encryption.{permission}"):
        raise NotEligible("Your role does not allow this.")


def _set(row: Job | Repository, fields: dict[str, Any], known: frozenset[str]) -> None:
    if DECIDED_FIELDS & fields.keys():
        raise RequestNeeded(
            "A job's encryption changes by a request that another person approves: ask for it."
        )
    if unknown := fields.keys() - known:
        raise JobRefused(f"There is nothing called {sorted(unknown)[0]} to change here.")
    for name, value in fields.items():
        setattr(row, name, value)


def _check_ours(row: Job | Repository, fields: Set[str]) -> None:
    """Refuse to change here what Veeam alone changes. Raises JobRefused."""
    place, beside = (row.repository, _BESIDE_VEEAM) if isinstance(row, Job) else (row, _BESIDE_SERVER)
    if place.engine == Engine.VEEAM and fields - beside:
        raise JobRefused("A Veeam server keeps this: change it there. Its encryption changes by a request.")


def _make_folder(folder: Path) -> None:
    """Make a repository's folder, once: a run that made it would write beside a share that is not mounted."""
    if settings.VEEAMSEC_PRODUCTION:
        # There the worker's user owns it, and this process is another.
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise PlaceRefused(f"{folder} cannot be made: {error.strerror}.") from error


def _check_repository(repository: Repository) -> None:
    check_name(repository)
    rules.place(repository.location, roots=settings.VEEAMSEC_ROOTS, home=settings.VEEAMSEC_HOME)


def _check_job(job: Job) -> None:
    check_name(job)
    if job.repository.engine == Engine.VEEAM:
        raise JobRefused("Jobs of a Veeam server are made there.")
    bounds: dict[str, Any] = {"roots": settings.VEEAMSEC_ROOTS, "home": settings.VEEAMSEC_HOME}
    target = rules.place(job.repository.location, **bounds)
    if job.source or job.state == Job.State.ACTIVE or not AdoptedJob.objects.filter(pk=job.pk).exists():
        # An adopted job has none until somebody takes it up.
        rules.apart(rules.place(job.source, **bounds), target)
    for label, value, least in (
        ("restore points to keep", job.retention_points, 1),
        ("days to keep", job.retention_days, 0),
        ("runs from full to full", job.full_every, 1),
        ("minutes between runs", job.schedule_minutes or 1, 1),
    ):
        if not least <= value < 10_000_000:
            raise JobRefused(f"The number of {label} must be {least} or more.")
    for patterns in (job.include, job.exclude):
        if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
            raise JobRefused("Patterns are a list of texts.")


def check_name(row: Job | Repository) -> None:
    """Refuse a name that is missing, taken, or does not show as what it is. Raises JobRefused."""
    if not row.name.strip():
        raise JobRefused("A name is missing.")
    # By it people know what they decide on: it shows as what it is, and as no other one.
    for sign in row.name:
        if sign in _TURNING or unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp"):
            raise JobRefused(f"The name holds a sign that does not show (U+{ord(sign):04X}): leave it out.")
    others = type(row)._default_manager.exclude(pk=row.pk).values_list("name", flat=True)
    if _seen_as(row.name) in {_seen_as(name) for name in others}:
        raise JobRefused(f"The name {row.name} is taken, or looks like one that is.")


def _seen_as(name: str) -> str:
    shown = (sign for sign in unicodedata.normalize("NFKC", name) if unicodedata.category(sign) != "Cf")
    return " ".join("".join(shown).casefold().split())


def _facts(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: _fact(value) for name, value in sorted(fields.items())}


def _fact(value: Any) -> Any:
    # An entry of the log is short: of a long list of patterns it keeps the digest.
    if isinstance(value, list) and len(text := canonical(value)) > _LONGEST_FACT:
        return {"count": len(value), "sha256": hashlib.sha256(text).hexdigest()}
    return value.pk if isinstance(value, Repository) else value
