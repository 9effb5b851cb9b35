"""What belongs to one person, for the table of permissions: a copy, a password handed over, a token."""

from datetime import timedelta
from uuid import UUID, uuid4

from django.utils import timezone

from accounts.models import ApiToken, User
from encryption.models import Job, PasswordVersion
from recovery.models import CustodyRecord, Keyset, RecoveryCase, Release

# A route that names one of these is called for what is one's own and for what is not.
HELD = ("{record_id}", "{release_id}", "{reference}")


def of(user: User, job: Job) -> dict[str, str]:
    """Hand a person a copy to keep, a password to take and a token; return their ids as routes name them."""
    version = PasswordVersion.objects.filter(password=job.password_id).latest("number")
    record = CustodyRecord.objects.create(
        version=version, medium="paper", place="a safe", custodian=user.person.name, person=user.person
    )
    release = Release.objects.create(
        version=version,
        person=user.person,
        request=uuid4(),
        expires_at=timezone.now() + timedelta(days=1),
    )
    ApiToken.objects.create(user=user, name="held", expiry=timedelta(days=1), scopes=["api"])
    token = ApiToken.objects.filter(user=user).latest("created")
    return {"record_id": str(record.pk), "release_id": str(release.pk), "reference": str(token.reference)}


def recovering(job: Job) -> dict[str, str]:
    """Make a keyset and the request of a lost password; return their ids as routes name them."""
    keyset = Keyset.objects.create(suite="x-wing", public=b"public half", enterprise=UUID(int=1))
    case = RecoveryCase.objects.create(
        case=uuid4(),
        side=RecoveryCase.Side.BACKUP,
        state=RecoveryCase.State.ASKED,
        request=b"a request",
        jobs=[str(job.pk)],
        keysets=[str(keyset.pk)],
    )
    return {"keyset_id": str(keyset.pk), "case": str(case.pk)}
