"""What tests of encryption share: a job on real files, runs, and re-keys as a worker does them."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Person, Role, RoleGrant, User
from audit import dsse, keys
from audit import services as audit
from encryption import attested, badge, selectors
from encryption.crypto.encoding import canonical
from encryption.crypto.secret import Secret
from encryption.engines.registry import engine_for
from encryption.models import Attestation, Job, Rekey, RekeyJob, Repository, RestorePoint
from encryption.services import backups, jobs, rekeys, steps
from veeamsec.home import Home

FIRST, SECOND = "violet-Kestrel-harbour-19", "copper-Lantern-meadow-62"


def make_user(name: str, role: Role | None = None) -> User:
    """An account with a role."""
    user = User.objects.create(username=name, person=Person.objects.create(name=name.title()))
    if role is not None:
        RoleGrant.objects.create(user=user, role=role)
    return user


@dataclass
class Bench:
    """A job, its folders, and what a worker does with it."""

    user: User
    repository: Repository
    job: Job
    source: Path
    folder: Path
    password: uuid.UUID = field(default_factory=uuid.uuid4)

    def write(self, name: str = "a.txt", text: str = "hello") -> None:
        (self.source / name).write_text(text)

    def run(self, *, full: bool = False) -> RestorePoint:
        session = backups.start_backup(self.job.pk, by=self.user, full=full)
        backups.run_backup(session.pk)
        session.refresh_from_db()
        assert session.state in ("succeeded", "warning"), session.error
        self.job.refresh_from_db()
        return RestorePoint.objects.get(session=session)

    def restore(self, point: RestorePoint, to: Path, paths: list[str] | None = None) -> Path:
        session = backups.start_restore(point.pk, to=str(to), paths=paths, by=self.user)
        backups.run_restore(session.pk)
        session.refresh_from_db()
        assert session.state == "succeeded", session.error
        return to

    def head(self) -> str:
        found = engine_for(self.repository).head(self.job.pk)
        return found.fingerprint if found else ""

    def order(self, action: str, password: str | None = None, **more: Any) -> Rekey:
        """Prepare and start a re-key, as an executed request does; its steps wait."""
        self.job.refresh_from_db()
        wish = rekeys.Wish(
            action=action,
            request=uuid.uuid4(),
            request_digest="ab" * 32,
            jobs={self.job.pk: self.head()},
            password=None if action == "deactivate" else self.password,
            hint="the green folder",
            **more,
        )
        prepared = rekeys.prepare(wish, Secret(password.encode()) if password else None)
        with audit.act(by=audit.WORKER, subject="request"):
            return rekeys.start_within(
                prepared, by=audit.WORKER, retry_until=timezone.now() + timedelta(hours=1)
            )

    def rekey(self, action: str, password: str | None = None, **more: Any) -> Rekey:
        """Order a re-key and do its steps."""
        rekey = self.order(action, password, **more)
        for step in RekeyJob.objects.filter(rekey=rekey):
            steps.run_step(step.pk)
        rekey.refresh_from_db()
        self.job.refresh_from_db()
        return rekey

    def attest(
        self, rekey: Rekey, *, by: str = "security", level: str = "signed", **more: Any
    ) -> Attestation:
        """Sign what the worker signs once a re-key has ended."""
        step = rekey.steps.get(job=self.job)
        version = selectors.current_version(self.job.pk)
        predicate = {
            "approved_by": by,
            "approved_at": "2026-11-02T12:00:00Z",
            "level": level,
            "versions": [str(version.pk)] if version else [],
        }
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "predicate": predicate,
            "predicateType": attested.PREDICATE_TYPE,
            "subject": [{"digest": {"sha256": step.new_fingerprint}, "name": f"job:{self.job.pk}"}],
        } | more
        envelope = dsse.sign(canonical(statement), keys.signing_key(), keys.signing_keyid())
        return Attestation.objects.create(
            job=self.job, rekey=rekey, fingerprint=step.new_fingerprint, envelope=envelope
        )

    def sign(self) -> badge.Badge:
        self.job.refresh_from_db()
        return badge.badge(self.job)


@pytest.fixture
def bench(db: None, vsec_home: Home, tmp_path: Path) -> Bench:
    """One job over one folder with one file."""
    return make_bench(vsec_home, tmp_path)


def make_bench(home: Home, tmp_path: Path, **fields: Any) -> Bench:
    """A bench on the database of the test that asks."""
    user = make_user("odile", Role.OPERATOR)
    source, place = tmp_path / "source", tmp_path / "place"
    source.mkdir()
    repository = jobs.create_repository(by=user, name="Shelf", location=str(place))
    wanted = {"name": "Ledgers", "repository": repository, "source": str(source), "full_every": 3} | fields
    job = jobs.create_job(by=user, **wanted)
    bench = Bench(user, repository, job, source, place / str(job.pk))
    bench.write()
    return bench


@pytest.fixture
def activated(bench: Bench) -> Bench:
    """The same job with encryption activated under the first password, before its first run."""
    bench.rekey("activate", FIRST)
    return bench


@pytest.fixture
def job_maker(bench: Bench) -> Callable[..., Job]:
    """More jobs in the same repository."""

    def make(name: str, **fields: Any) -> Job:
        wanted = {"name": name, "repository": bench.repository, "source": str(bench.source)} | fields
        return jobs.create_job(by=bench.user, **wanted)

    return make
