"""The end of a password: refused while anything needs it, and its versions erased only after a read-back."""

from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from audit import queue
from audit import services as audit
from audit.errors import Later
from audit.events import Event
from encryption import selectors
from encryption.engines.registry import engine_for
from encryption.errors import EngineError, TargetChanged
from encryption.models import EncryptionPassword, Engine, Job, PasswordVersion, RekeyJob
from encryption.services import messages

_LOOK_AGAIN = timedelta(hours=1)


def delete_within(password_id: UUID, *, by: audit.Actor) -> None:
    """Mark a password deleted in the caller's transaction and ring for the erasure of its versions.

    Raises TargetChanged when something needs it (again).
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a password ends in the transaction of its request")
    password = EncryptionPassword.objects.select_for_update().filter(pk=password_id, deleted_at=None).first()
    if password is None:
        raise TargetChanged("This password does not exist any more.")
    if needs := selectors.needs_of(password_id):
        raise TargetChanged(f"This password is still needed: {needs[0]}")
    password.deleted_at = timezone.now()
    password.save(update_fields=["deleted_at"])
    queue.ring(queue.Task.ERASE_SECRET, password.pk)
    audit.record(Event.PASSWORD_DELETED, subject=password, by=by)


def erase(password_id: UUID) -> None:
    """Erase every version of a deleted password, once no keyring names it. Raises Later."""
    password = EncryptionPassword.objects.filter(pk=password_id, deleted_at__isnull=False).first()
    if password is None:
        messages.refuse(queue.Task.ERASE_SECRET, password_id, "no deleted password")
        return
    audit.wait_while_older()
    if selectors.needs_of(password_id):
        raise Later(_LOOK_AGAIN)
    # Where Veeam wrote, no keyring of ours lies, and the password was deleted there before.
    keyed = RekeyJob.objects.filter(rekey__version__password=password, job__repository__engine=Engine.NATIVE)
    found = Q(pk__in=keyed.values("job")) | Q(adopted__version__password=password)
    for job in Job.objects.filter(found).select_related("repository").order_by("pk"):
        _free(job, password_id)
    with audit.act(by=audit.WORKER, subject=password):
        left = PasswordVersion.objects.select_for_update().filter(password=password, erased_at=None)
        for version in left.order_by("number"):
            version.sealed_password = version.sealed_root = None
            version.erased_at = timezone.now()
            version.save(update_fields=["sealed_password", "sealed_root", "erased_at"])
            audit.record(Event.PASSWORD_VERSION_ERASED, subject=version, facts={"number": version.number})


def _free(job: Job, password_id: UUID) -> None:
    """See that a job's keyring is not under this password; one that opens nothing any more is removed."""
    engine = engine_for(job.repository)
    try:
        head = engine.head(job.pk)
        version = selectors.version_of_user_key(job.pk, head.user_key) if head else None
        if version is None or version.password_id != password_id:
            return
        engine.retire_keyring(job.pk)
    except (EngineError, OSError):
        # What cannot be read may still need it.
        raise Later(_LOOK_AGAIN) from None
