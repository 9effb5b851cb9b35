"""A large installation in the database: jobs, restore points, requests and entries as real ones are written.

Rows come in bulk, but every statement, digest, signature and link of the log is real, for pages verify them.
"""

import hashlib
import os
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from accounts.models import User
from accounts.services import bootstrap_file, security_role
from approvals.models import ApprovalRequest, RequestTarget, State
from approvals.services import policies, requests
from audit import dsse, keys
from audit import services as audit
from audit.events import Event
from encryption import attested
from encryption.crypto.encoding import canonical
from encryption.models import (
    Attestation,
    EncryptionPassword,
    Job,
    JobSession,
    PasswordVersion,
    Rekey,
    RekeyJob,
    Repository,
    RestorePoint,
)
from veeamsec.demo.cast import bootstrap_file as cast_file
from veeamsec.demo.cast import cast
from veeamsec.demo.story import CUSTODY

BATCH = 5000
PLAIN_EVERY = 10
PENDING = 40


def people() -> dict[str, User]:
    """The demo's people, the Security Role sealed."""
    bootstrap_file.load(cast_file(cast()))
    security_role.sign_roster()
    return {user.username: user for user in User.objects.all()}


def jobs(count: int, points: int) -> list[Job]:
    """So many jobs with so many restore points in all; nine of ten under an approved password."""
    place = Repository.objects.create(name="Vault", engine="native", location="/srv/vault")
    now = timezone.now()
    made = [_job(number, place, now) for number in range(count)]
    Job.objects.bulk_create([job for job, _ in made], batch_size=BATCH)
    rows, sessions = [], []
    for job, version in made:
        if version is not None:
            _executed(job, version, now)
        rows += [_point(job, version, now - timedelta(hours=hour)) for hour in range(points // count)]
        sessions += [_session(job, now - timedelta(hours=hour)) for hour in range(5)]
    RestorePoint.objects.bulk_create(rows, batch_size=BATCH)
    JobSession.objects.bulk_create(sessions, batch_size=BATCH)
    return [job for job, _ in made]


def requests_of(asker: User, targets: list[Job], count: int) -> None:
    """So many requests: some wait for a decision, the others are over."""
    asked = [_ask(asker, job) for job in targets[: PENDING * PLAIN_EVERY : PLAIN_EVERY]]
    first = asked[-1].number + 1
    rows = [_like(asked[-1], number) for number in range(first, first + count - PENDING)]
    ApprovalRequest.objects.bulk_create(rows, batch_size=BATCH)
    ids = [row.pk for row in rows]
    refs = [RequestTarget(request_id=pk, type="job", ref=uuid4(), open=True) for pk in ids]
    RequestTarget.objects.bulk_create(refs, batch_size=BATCH)
    over = ApprovalRequest.objects.filter(pk__in=ids)
    over.update(state=State.WITHDRAWN, sealed_secret=None, ended_at=timezone.now())
    RequestTarget.objects.filter(request__in=ids).update(open=False)


def entries(count: int) -> None:
    """So many entries of the log."""
    for _ in range(count // BATCH):
        with audit.act(by=audit.CONSOLE, subject="job"):
            for number in range(BATCH):
                audit.record(Event.JOB_RUN, facts={"n": number})


def _ask(asker: User, job: Job) -> ApprovalRequest:
    questions = policies.policy_for([job.pk]).procedure_questions
    return requests.ask(
        "activate_encryption",
        by=asker,
        reason="The folder leaves the house.",
        jobs=[job.pk],
        new_password="amber-basalt-cedar-delta-0001",
        hint="Ledgers",
        start="next_run",
        custody=CUSTODY,
        answers=[{"question": one, "answer": "Yes."} for one in questions],
    )


def _like(one: ApprovalRequest, number: int) -> ApprovalRequest:
    pk = uuid4()
    text = bytes(one.statement).decode()
    text = text.replace(str(one.pk), str(pk)).replace(f'"number":{one.number}', f'"number":{number}')
    return ApprovalRequest(
        id=pk,
        number=number,
        kind=one.kind,
        asker_id=one.asker_id,
        asker_person_id=one.asker_person_id,
        statement=text.encode(),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        policy=one.policy,
        sealed_secret=one.sealed_secret,
        decide_by=one.decide_by,
        created_at=one.created_at,
    )


def _job(number: int, place: Repository, now: datetime) -> tuple[Job, PasswordVersion | None]:
    version = None if number % PLAIN_EVERY == 0 else _version(number)
    job = Job(
        name=f"Ledger {number:05}",
        repository=place,
        source=f"/srv/data/{number}",
        password=None if version is None else version.password,
        observed_fingerprint="" if version is None else hashlib.sha256(str(number).encode()).hexdigest(),
        observed_at=now,
    )
    return job, version


def _version(number: int) -> PasswordVersion:
    password = EncryptionPassword.objects.create(hint=f"Ledgers {number // 100}")
    return PasswordVersion.objects.create(
        password=password,
        number=1,
        hint=password.hint,
        kdf={},
        sealed_password=os.urandom(90),
        sealed_root=os.urandom(90),
        strength=4,
        length=30,
        in_force_from=timezone.now(),
    )


def _executed(job: Job, version: PasswordVersion, now: datetime) -> None:
    rekey = Rekey.objects.create(
        request=uuid4(),
        action="activate",
        version=version,
        order={},
        retry_until=now,
        state="succeeded",
        ended_at=now,
    )
    RekeyJob.objects.create(
        rekey=rekey,
        job=job,
        state="succeeded",
        user_key=uuid4(),
        old_fingerprint="",
        new_fingerprint=job.observed_fingerprint,
        ended_at=now,
    )
    envelope = dsse.sign(_statement(job, version, now), keys.signing_key(), keys.signing_keyid())
    Attestation.objects.create(job=job, rekey=rekey, fingerprint=job.observed_fingerprint, envelope=envelope)


def _statement(job: Job, version: PasswordVersion, now: datetime) -> bytes:
    predicate: dict[str, Any] = {
        "approved_at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "approved_by": "security",
        "level": "signed",
        "versions": [str(version.pk)],
        # As long as a roster and a passkey's assertion make a real one.
        "roster": {"payload": os.urandom(1500).hex()},
    }
    body = {
        "_type": "https://in-toto.io/Statement/v1",
        "predicate": predicate,
        "predicateType": attested.PREDICATE_TYPE,
        "subject": [{"digest": {"sha256": job.observed_fingerprint}, "name": f"job:{job.pk}"}],
    }
    return canonical(body)


def _point(job: Job, version: PasswordVersion | None, when: datetime) -> RestorePoint:
    return RestorePoint(
        id=uuid4(),
        job=job,
        kind="full",
        created_at=when,
        size=10_000_000,
        source_bytes=12_000_000,
        entries=400,
        storage_key=None if version is None else uuid4(),
        password_version=version,
        verified_at=when,
    )


def _session(job: Job, when: datetime) -> JobSession:
    return JobSession(
        job=job, kind="backup", state="succeeded", created_at=when, started_at=when, ended_at=when
    )
