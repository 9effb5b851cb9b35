"""What tests of pages share: people who are signed in, and a house with something of everything in it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import Alarm
from encryption.models import (
    Drift,
    EncryptionPassword,
    Job,
    JobSession,
    PasswordVersion,
    Rekey,
    RekeyJob,
    RestorePoint,
)
from tests.approvals.conftest import (  # noqa: F401
    People,
    ask,
    job,
    make_job,
    pending,
    people,
    transactional,
)

ROLES = ("operator", "administrator", "dpo", "ciso", "auditor", "nobody")


def as_user(user: User) -> Client:
    """A browser in which this person is signed in."""
    client = Client(HTTP_HOST="localhost:8000")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def browse() -> Callable[[User], Client]:
    """Sign somebody in."""
    return as_user


@pytest.fixture
def encrypted(people: People, make_job: Callable[..., Job]) -> Job:  # noqa: F811
    """A job with a re-keyed password, points of both versions and plain ones, runs, a drift and an alarm."""
    found = make_job("Mail")
    password = EncryptionPassword.objects.create(hint="Mail 2026")
    former, current = (_version(password, number) for number in (1, 2))
    Job.objects.filter(pk=found.pk).update(
        password=password, observed_fingerprint="ab" * 32, observed_at=timezone.now(), schedule_minutes=1440
    )
    rekey = Rekey.objects.create(
        request=uuid4(),
        action=Rekey.Action.CHANGE,
        version=current,
        order={},
        retry_until=timezone.now(),
        state=Rekey.State.SUCCEEDED,
        ended_at=timezone.now(),
    )
    RekeyJob.objects.create(
        rekey=rekey,
        job=found,
        state=RekeyJob.State.SUCCEEDED,
        user_key=uuid4(),
        old_fingerprint="cd" * 32,
        new_fingerprint="ab" * 32,
        done=3,
        total=3,
        started_at=timezone.now(),
        ended_at=timezone.now(),
    )
    for days, version in enumerate((current, current, current, former, None)):
        _point(found, days, version)
    _alarm(found)
    found.refresh_from_db()
    return found


def _version(password: EncryptionPassword, number: int) -> PasswordVersion:
    return PasswordVersion.objects.create(
        password=password,
        number=number,
        hint=f"Mail {2024 + number}",
        kdf={"name": "argon2id"},
        sealed_password=b"sealed",
        sealed_root=b"sealed",
        strength=4,
        length=24,
        in_force_from=timezone.now() - timedelta(days=40 - 10 * number),
    )


def _point(job: Job, days: int, version: PasswordVersion | None) -> None:  # noqa: F811
    at = timezone.now() - timedelta(days=days)
    session = JobSession.objects.create(
        job=job,
        kind=JobSession.Kind.BACKUP,
        state=JobSession.State.SUCCEEDED,
        done_bytes=(days + 1) * 10_000_000,
        done_files=12,
        created_at=at,
        started_at=at,
        ended_at=at + timedelta(minutes=4),
    )
    RestorePoint.objects.create(
        id=uuid4(),
        job=job,
        kind=RestorePoint.Kind.FULL,
        session=session,
        created_at=at,
        size=31_000_000,
        source_bytes=52_000_000,
        entries=1243,
        storage_key=uuid4() if version else None,
        password_version=version,
    )


def _alarm(job: Job) -> None:  # noqa: F811
    Drift.objects.create(job=job, what="keyring.changed", found={})
    Alarm.objects.create(
        kind="drift",
        severity="critical",
        subject_type="encryption.job",
        subject_id=str(job.pk),
        text=f"The key file of {job.name} was changed, and no executed request explains it.",
    )


@pytest.fixture
def clients(people: People) -> Iterator[dict[str, Client]]:  # noqa: F811
    """One browser a role."""
    yield {name: as_user(getattr(people, name)) for name in ROLES}


def text_of(response: Any) -> str:
    """The page as text."""
    return str(response.content.decode())
