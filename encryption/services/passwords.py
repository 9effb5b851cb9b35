"""The end of an encryption password: every version erased, once nothing needs it."""

from uuid import UUID

from django.utils import timezone

from audit import services as audit
from audit.events import Event
from audit.statement import Actor
from encryption import selectors
from encryption.errors import TargetChanged
from encryption.models import EncryptionPassword, PasswordVersion, RestorePoint


def delete_within(password_id: UUID, *, by: Actor) -> None:
    """Erase every version of a password, inside the transaction of the request that approved it.

    Raises TargetChanged while a keyring or a live restore point needs it, or when it is gone already.
    """
    password = EncryptionPassword.objects.select_for_update().filter(pk=password_id, deleted_at=None).first()
    if password is None:
        raise TargetChanged("The password does not exist any more.")
    points = RestorePoint.objects.filter(dropped_at=None, password_version__password=password)
    if points.exists() or selectors.jobs_of_password(password.pk):
        raise TargetChanged("A job or a restore point needs this password: nothing was deleted.")
    now = timezone.now()
    for version in PasswordVersion.objects.filter(password=password, erased_at=None).order_by("number"):
        PasswordVersion.objects.filter(pk=version.pk).update(
            sealed_password=None, sealed_root=None, erased_at=now, in_force_until=version.in_force_until or now
        )
        audit.record(Event.PASSWORD_VERSION_ERASED, subject=version, by=by, facts={"number": version.number})
    password.deleted_at = now
    password.save(update_fields=["deleted_at"])
    audit.record(Event.PASSWORD_DELETED, subject=password, by=by)
