"""Backup servers at the Enterprise side: offered as a text, compared, registered under four eyes, revoked."""

from uuid import UUID

from django.utils import timezone

from accounts.models import User
from audit import queue
from audit import services as audit
from audit.events import Event
from encryption.crypto import fips
from recovery import armor
from recovery.errors import Replayed, UnknownServer
from recovery.models import BackupServer, EnterpriseTask
from recovery.services import identity, keysets

State = BackupServer.State


def offer(text: str, *, by: User) -> BackupServer:
    """Take a server's registration; it counts for nothing until an approved request registers it.

    Raises Unreadable and its kinds, NotGenuine, NotApproved under FIPS, Replayed for one that is known.
    """
    with audit.act(by=by, subject="backup server"):
        keysets.check_may_ask(by)
        made = identity.row_of(identity.envelope_in(armor.Kind.SERVER, text))
        fips.check_curve(is_x25519=made.kem == "x25519")
        if BackupServer.objects.filter(pk=made.pk).exists():
            raise Replayed(f"The backup server {made} is known here already.")
        made.save(force_insert=True)
        facts = {"fingerprint": made.fingerprint, "server": made.pk}
        audit.record(Event.SERVER_OFFERED, subject=made, facts=facts)
    return made


def revoke(server_id: UUID, *, by: User, reason: str) -> EnterpriseTask:
    """Wish that a server counts no more; one person suffices, for it opens nothing (decision 0013).

    Raises NotEligible, UnknownServer for this installation's own, and for one that does not count.
    """
    with audit.act(by=by, subject=("recovery.backupserver", server_id)):
        keysets.check_may_ask(by)
        found = BackupServer.objects.filter(pk=server_id).first()
        if found is None or found.state == State.REVOKED:
            raise UnknownServer("There is no such backup server, or it was revoked before.")
        if found.own:
            raise UnknownServer("This is this installation's own identity: it is not revoked from here.")
        given = {"reason": reason.strip()[:200], "server": str(found.pk)}
        task = EnterpriseTask.objects.create(action="revoke", given=given, asked_by=by.pk)
        audit.record(Event.SERVER_REVOCATION_WISHED, subject=found, facts={"task": task.pk})
        queue.ring(queue.Task.ENTERPRISE, task.pk)
    return task


def revoke_now(task: EnterpriseTask) -> None:
    """Revoke the server that a task names; as the enterprise worker. Again is the same."""
    server = UUID(task.given["server"])
    with audit.act(by=audit.ENTERPRISE, subject=("recovery.backupserver", server)):
        rows = BackupServer.objects.select_for_update().filter(pk=server, own=False)
        found = rows.exclude(state=State.REVOKED).first()
        if found is None:
            return
        found.state, found.revoked_at = State.REVOKED, timezone.now()
        found.save(update_fields=["state", "revoked_at"])
        audit.record(Event.SERVER_REVOKED, facts={"fingerprint": found.fingerprint})


def register_within(server_id: UUID, fingerprint: str) -> None:
    """Register the server of this fingerprint; as the enterprise worker, ordered. Raises UnknownServer."""
    found = BackupServer.objects.select_for_update().filter(pk=server_id, state=State.OFFERED).first()
    if found is None or found.fingerprint != fingerprint:
        raise UnknownServer("The backup server is not the one that was approved.")
    # Whoever wrote the row wrote more than its text says: the text alone counts.
    told = identity.row_of(found.document)
    same = ("id", "kem", "fingerprint")
    if [getattr(told, name) for name in same] != [getattr(found, name) for name in same] or (
        bytes(told.signing_key),
        bytes(told.sealing_key),
    ) != (bytes(found.signing_key), bytes(found.sealing_key)):
        raise UnknownServer("The backup server's row is not what its text says.")
    found.state, found.registered_at = State.REGISTERED, timezone.now()
    found.save(update_fields=["state", "registered_at"])
    audit.record(Event.SERVER_REGISTERED, subject=found, facts={"fingerprint": fingerprint})
