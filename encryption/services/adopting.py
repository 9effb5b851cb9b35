"""Adopting a native repository whose files are there but whose rows are not: a lost database, or a new owner.

Jobs and restore points are put on record as docs/format.md lets them be read, and what does not hold is said
by name. No password becomes known by that: what a keyring opens stays *unproven* until somebody proves to
know it (`offering`) or a recovery opens the keys. Nobody approved any of it, so no sign is given. Begun again
after a kill, it goes on with what is not on record yet.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from accounts.errors import NotEligible
from accounts.models import User
from audit import queue
from audit import services as audit
from audit.errors import Refused
from audit.events import Event
from encryption import rules, selectors
from encryption.crypto import providers
from encryption.engines.base import Engine, Found, KeyringHead, Line, Unread
from encryption.engines.native.recovery import verify_line
from encryption.engines.registry import engine_for
from encryption.errors import BadRecoveryLine, EngineError, JobBusy, JobRefused, Unknown
from encryption.models import (
    AdoptedJob,
    EncryptionPassword,
    Job,
    PasswordVersion,
    Repository,
    RepositoryAdoption,
    RestorePoint,
)
from encryption.models import Engine as Engines
from encryption.services import protection, vault

# What a page can show by name; the count says the rest.
NAMED = 200

State = RepositoryAdoption.State


def adopt(repository_id: UUID, *, by: User) -> RepositoryAdoption:
    """Ask that what lies in a native repository and is not on record be put there; the worker reads it.

    Raises Unknown, NotEligible, JobRefused for another engine, PlaceRefused, JobBusy while it is being read.
    """
    with audit.attempt(by=by, subject=("encryption.repository", repository_id)) as attempt:
        found = selectors.repositories_for(by).filter(pk=repository_id).first()
        if found is None:
            raise Unknown("There is no such repository, or it is not yours to see.")
        if not by.has_perm("encryption.add_job"):
            raise NotEligible("Who makes jobs may adopt a repository.")
        if found.engine != Engines.NATIVE:
            raise JobRefused("A Veeam server keeps its own record: it is connected, and not adopted.")
        _check_place(found)
        with attempt.act():
            repository = Repository.objects.select_for_update().get(pk=repository_id)
            if repository.adoptions.filter(state=State.WAITING).exists():
                raise JobBusy("This repository is being read already.")
            row = RepositoryAdoption.objects.create(repository=repository, asked_by=by.pk)
            audit.record(Event.ADOPTION_STARTED, subject=repository, facts={"adoption": row.pk})
            queue.ring(queue.Task.ADOPT_REPOSITORY, row.pk)
    return row


def run_adoption(adoption_id: UUID) -> None:
    """Read a repository and put on record what holds; as the worker, and again after a kill."""
    rows = RepositoryAdoption.objects.select_related("repository")
    row = rows.filter(pk=adoption_id, state=State.WAITING).first()
    if row is None:
        return
    audit.wait_while_older()
    reading = _Reading(row)
    try:
        _check_place(row.repository)
        reading.read()
    except (EngineError, Refused, OSError) as error:
        why = getattr(error, "message", "") or getattr(error, "strerror", "") or str(error)
        reading.end(State.FAILED, why)
    else:
        reading.end(State.DONE, "")


def _check_place(repository: Repository) -> None:
    rules.place(repository.location, roots=settings.VEEAMSEC_ROOTS, home=settings.VEEAMSEC_HOME)


class _Reading:
    """One reading of a repository, with what it says in the end."""

    def __init__(self, row: RepositoryAdoption) -> None:
        self._row = row
        self._engine: Engine = engine_for(row.repository)
        self._unread = 0
        self._named: list[dict[str, str]] = []
        self._signers: Counter[str] = Counter()

    def read(self) -> None:
        """Go through all folders; each job and each batch of restore points is a transaction of its own."""
        key = providers.load_server(settings.WORKER_KEYS).public_key()
        self._own, self._own_key = protection.server_id(key.public_bytes_raw()), key
        for there in self._engine.jobs_there():
            if isinstance(there, Unread):
                self._refuse(there.what, there.why)
                continue
            try:
                if self._take_up(there):
                    self._points(there)
            except EngineError as error:
                self._refuse(str(there), error.message)

    def end(self, state: str, said: str) -> None:
        """Say what came of it."""
        with audit.act(by=audit.WORKER, subject=self._row.repository):
            row = RepositoryAdoption.objects.select_for_update().get(pk=self._row.pk)
            row.state, row.said, row.done_at = state, said, timezone.now()
            row.unread, row.named, row.signers = self._unread, self._named, dict(self._signers)
            row.save(update_fields=["state", "said", "done_at", "unread", "named", "signers"])
            facts = {"adoption": row.pk, "state": state, "jobs": row.jobs, "restore_points": row.points}
            audit.record(Event.ADOPTION_ENDED, facts=facts | {"unread": row.unread})

    def _refuse(self, what: str, why: str) -> None:
        self._unread += 1
        if len(self._named) < NAMED:
            self._named.append({"what": what, "why": why})

    def _take_up(self, job_id: UUID) -> bool:
        """Put a job on record that is not; say whether its restore points are to be adopted."""
        known = Job.objects.select_related("repository").filter(pk=job_id).first()
        if known is None:
            head = self._engine.head(job_id)
            if head is None and not self._engine.restore_points(job_id):
                self._refuse(str(job_id), "It holds neither a keyring nor a restore point.")
                return False
            _put_on_record(self._row, job_id, head)
            return True
        if known.repository_id != self._row.repository_id:
            self._refuse(str(job_id), f"A job of this id is on record in {known.repository}.")
            return False
        if known.state == Job.State.DELETED:
            self._refuse(str(job_id), "A job of this id was deleted here; it is not taken up again.")
            return False
        # Of a job that was made here a difference between folder and record is a drift, not an adoption.
        if not AdoptedJob.objects.filter(pk=job_id).exists():
            return False
        head = self._engine.head(job_id)
        if (head.fingerprint if head else "") == selectors.key_expected(job_id):
            return True
        self._refuse(
            f"{job_id}/keyring", "It is not the keyring on record: that is a change to be explained."
        )
        return False

    def _points(self, job_id: UUID) -> None:
        job = Job.objects.get(pk=job_id)
        plain = False
        for batch in self._engine.read_points(job_id):
            queue.renew()
            found = []
            for part in batch:
                if isinstance(part, Unread):
                    self._refuse(part.what, part.why)
                else:
                    self._count(part.recovery, job_id)
                    found.append(part)
            plain |= any(part.storage_key is None for part in found)
            self._put_points(job, found)
        adopted = AdoptedJob.objects.get(job=job)
        if plain or adopted.proved_at is not None:
            with audit.act(by=audit.WORKER, subject=job):
                queue.ring(queue.Task.SETTLE_ADOPTED, job.pk)

    def _put_points(self, job: Job, found: Iterable[Found]) -> None:
        by_id = {part.restore_point: part for part in found}
        rows = RestorePoint.objects.filter(pk__in=by_id.keys()).values_list("pk", "job")
        for point, owner in rows:
            del by_id[point]
            if owner != job.pk:
                self._refuse(f"{job.pk}/{point}.vsb", "A restore point of this id is on record elsewhere.")
        if not by_id:
            return
        with audit.act(by=audit.WORKER, subject=job):
            # Under the lock: a re-key may have been executed since the job was adopted.
            Job.objects.select_for_update().get(pk=job.pk)
            version = selectors.current_version(job.pk)
            made = [
                _row(job, version, part)
                for part in by_id.values()
                if version is not None or part.storage_key is None
            ]
            RestorePoint.objects.bulk_create(made)
            _count_within(self._row, points=len(made))
            facts = {"adoption": self._row.pk, "count": len(made)}
            audit.record(Event.POINTS_ADOPTED, facts=facts)

    def _count(self, lines: Iterable[Line], job_id: UUID) -> None:
        """Note who signed the recovery lines of a point; a line in our own name must be ours."""
        signers = set()
        for line in lines:
            try:
                if line.server == self._own:
                    verify_line(line, self._own_key)
                signers.add(str(line.server))
            except BadRecoveryLine as error:
                self._refuse(f"{job_id}/{line.restore_point}.recovery", error.message)
        self._signers.update(signers)


def _row(job: Job, version: PasswordVersion | None, part: Found) -> RestorePoint:
    # What it builds on is settled once all are there; until then nobody takes it for a full.
    return RestorePoint(
        id=part.restore_point,
        job=job,
        kind=RestorePoint.Kind.POINT,
        created_at=part.created,
        size=part.size,
        storage_key=part.storage_key,
        password_version=version if part.storage_key is not None else None,
    )


def _put_on_record(row: RepositoryAdoption, job_id: UUID, head: KeyringHead | None) -> None:
    with audit.act(by=audit.WORKER, subject=("encryption.job", job_id)):
        # One at a time: two keyrings of one password share its version.
        repository = Repository.objects.select_for_update().get(pk=row.repository_id)
        version = _version_of(head, repository) if head is not None else None
        job = Job.objects.create(
            id=job_id,
            name=f"Adopted {job_id}",
            repository=repository,
            state=Job.State.DISABLED,
            password=version.password if version is not None else None,
            full_next=True,
            observed_fingerprint=head.fingerprint if head is not None else "",
            observed_at=timezone.now(),
        )
        AdoptedJob.objects.create(
            job=job,
            adoption=row,
            version=version,
            user_key=head.user_key if head is not None else None,
            fingerprint=head.fingerprint if head is not None else "",
            proved_at=timezone.now() if version is not None and not version.is_unproven else None,
        )
        _count_within(row, jobs=1)
        facts = {"adoption": row.pk, "repository": repository.pk, "fingerprint": job.observed_fingerprint}
        audit.record(Event.JOB_ADOPTED, subject=job, facts=facts)


def _count_within(row: RepositoryAdoption, *, jobs: int = 0, points: int = 0) -> None:
    # In the transaction of what it counts, so that a kill counts nothing twice.
    counted = RepositoryAdoption.objects.filter(pk=row.pk)
    counted.update(jobs=F("jobs") + jobs, points=F("points") + points)


def _version_of(head: KeyringHead, repository: Repository) -> PasswordVersion:
    """Return the version that a keyring is under: keyrings of one password share its salt.

    That is what they say, and no proof: what does not open with the others is set apart when it is tried.
    """
    adopted = PasswordVersion.objects.filter(adopted__job__repository=repository, erased_at=None)
    for known in adopted.filter(kdf=dict(head.kdf.to_json())).distinct().order_by("created_at", "pk"):
        if known.is_unproven or head.commits_to(vault.root_of(known)):
            return known
    return new_version_within(f"Adopted from {repository.name}", head.kdf.to_json())


def new_version_within(hint: str, kdf: Mapping[str, Any]) -> PasswordVersion:
    """Make a password whose value nobody has proved to know, in the worker's transaction."""
    password = EncryptionPassword.objects.create(hint=hint)
    return PasswordVersion.objects.create(
        id=uuid4(),
        password=password,
        number=1,
        hint=hint,
        kdf=dict(kdf),
        strength=0,
        length=0,
        in_force_from=timezone.now(),
    )
