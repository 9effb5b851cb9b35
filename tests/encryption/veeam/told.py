"""What tests of reconciliation look at: a step of a request, and where an event came to belong."""

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from audit.models import Alarm
from encryption.models import EncryptionPassword, Job, PasswordVersion, Reconciled, Rekey, RekeyJob
from tests.encryption.veeam.standin import name_of

GOLD = name_of("Gold")


def step(minutes: float = 0, *, action: str = "change", ended: bool = True, **proof: Any) -> RekeyJob:
    """A step of an executed request on the job, that began so many minutes ago."""
    at = timezone.now() - timedelta(minutes=minutes)
    password = EncryptionPassword.objects.get(hint="Gold")
    newest = PasswordVersion.objects.filter(password=password).order_by("-number").first()
    version = PasswordVersion.objects.create(
        password=password,
        number=newest.number + 1,
        hint="Gold",
        kdf={},
        strength=4,
        length=20,
        request=uuid.uuid4(),
    )
    rekey = Rekey.objects.create(
        request=version.request,
        action=action,
        version=None if action == "deactivate" else version,
        order={},
        retry_until=at,
        state=Rekey.State.SUCCEEDED if ended else Rekey.State.RUNNING,
        ended_at=at if ended else None,
    )
    return RekeyJob.objects.create(
        rekey=rekey,
        job=Job.objects.get(name="Mail"),
        state=RekeyJob.State.SUCCEEDED if ended else RekeyJob.State.RUNNING,
        old_fingerprint="ab" * 32,
        new_fingerprint="",
        started_at=at,
        ended_at=at + timedelta(seconds=20) if ended else None,
        proof=proof,
    )


def where(event: Any) -> Reconciled | None:
    return Reconciled.objects.filter(event=event).first()


def alarms(kind: str) -> list[str]:
    return list(Alarm.objects.filter(kind=kind).exclude(state="resolved").values_list("text", flat=True))
