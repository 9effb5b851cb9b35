"""After the yes: the worker checks everything again, and begins the work.

A message or a row alone moves nothing. What differs from what was approved ends the request as stale, with
its reason and an alarm; what cannot be read just now is tried again while the window is open.
"""

import hashlib
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from accounts import selectors as people_selectors
from accounts.errors import NotNow, RosterInvalid
from accounts.services.security_role import roster_in_force
from approvals import selectors
from approvals.attestation import finding as findings
from approvals.attestation.finding import Finding
from approvals.errors import Invalid, NotEligible, SecurityRoleTooSmall, Stale
from approvals.models import ApprovalRequest, State
from approvals.services import actions, deadlines, endings, people, proving, verification
from approvals.services.kinds.base import Begin
from approvals.statement import Statement
from audit import keys, queue
from audit import services as audit
from audit.alarms import Kind as Alarms
from audit.errors import Forged, Later
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within
from encryption import errors as encryption_errors
from encryption.crypto.secret import Secret
from encryption.services import intake

# What makes an approval stale: something is not, or is no longer, what was approved.
DIFFERENCES = (
    Stale,
    Invalid,
    Forged,
    SecurityRoleTooSmall,
    encryption_errors.TargetChanged,
    encryption_errors.PasswordRefused,
    encryption_errors.SealBroken,
    encryption_errors.Unknown,
    # Whom it is about, or who is left, is not what it was.
    NotEligible,
    NotNow,
    RosterInvalid,
)
BUSY = timedelta(seconds=30)
REFUSED = timedelta(minutes=5)


def execute(request_id: UUID) -> None:
    """Begin what an approved request authorises, once.

    Raises Later while a job is busy or cannot be read, a custodian's proof is demanded and missing, or the
    database is older than what was signed of it.
    """
    if deadlines.settle(request_id):
        return
    request = ApprovalRequest.objects.select_related("asker").filter(pk=request_id).first()
    if request is None or request.state != State.APPROVED:
        refuse_message(queue.Task.EXECUTE, request_id, request.state if request else "unknown")
        return
    if request.rekey_id is not None:
        return
    audit.wait_while_older()
    try:
        said, finding = verification.verify(request)
        proving.check(request, said)
        actions.KINDS[said.kind].compare(said)
        with _open_secret(request, said) as secret:
            begin = actions.prepare(said, request.digest, secret if len(secret) else None)
        _begin(request.pk, said, finding, begin)
    except encryption_errors.JobBusy as error:
        raise Later(BUSY) from error
    except encryption_errors.RemovalRefused as error:
        # Said on the request; it is tried again until its time to execute is over, and fails with it then.
        ApprovalRequest.objects.filter(pk=request_id).update(outcome=str(error))
        raise Later(REFUSED) from error
    except DIFFERENCES as error:
        end_stale(request_id, str(error))


def refuse_message(task: queue.Task, ref: UUID, found: str) -> None:
    """Log a message that asks for what nobody decided."""
    with audit.act(by=audit.WORKER, subject=(endings.SUBJECT, ref)):
        audit.record(Event.MESSAGE_REFUSED, facts={"task": task.value, "reason": found})


def end_stale(request_id: UUID, reason: str) -> None:
    """End an open request whose approval does not fit any more; nothing was written."""
    with audit.act(by=audit.WORKER, subject=(endings.SUBJECT, request_id)):
        request = endings.locked_within(request_id)
        if request.state in (State.PENDING, State.APPROVED) and request.rekey_id is None:
            endings.end_within(request, State.STALE, reason)
            text = f"{request} was approved, but not executed: {reason}"
            raise_alarm_within(Alarms.REQUEST_STALE, request, Alarm.Severity.WARNING, text)


def _open_secret(request: ApprovalRequest, said: Statement) -> Secret:
    """Return the new password, if the statement speaks of one: the very form that its digest covers."""
    expected = said.change.get("secret_sha256")
    if (request.sealed_secret is None) != (expected is None):
        raise Stale("The sealed password is missing, or one came that was not approved.")
    if request.sealed_secret is None:
        return Secret(b"")
    sealed = bytes(request.sealed_secret)
    if hashlib.sha256(sealed).hexdigest() != expected:
        raise Stale("The sealed password is not the one that was approved.")
    return intake.open_for(request.pk, sealed)


def _begin(request_id: UUID, said: Statement, finding: Finding, begin: Begin) -> None:
    signed = findings.sign(finding, keys.signing_key(), keys.signing_keyid())
    body = roster_in_force()
    with audit.act(by=audit.WORKER, subject=(endings.SUBJECT, request_id)):
        request = endings.locked_within(request_id)
        people.lock_role_within()
        newest = people_selectors.newest_roster()
        if newest is None or newest.number != finding.roster_number:
            raise Later(timedelta(seconds=1))
        if selectors.state_at(request) != State.APPROVED or request.rekey_id is not None:
            return
        # Under the locks: nobody leaves Security between this count and the commit.
        if verification.count(request, said, body).votes != finding.votes:
            raise Stale("The votes changed while this was being executed.")
        until = verification.execute_by(request, said, finding)
        if timezone.now() >= until:
            raise Stale("The time to execute is over.")
        request.rekey = begin(until)
        request.execution, request.sealed_secret = signed, None
        request.save(update_fields=["rekey", "execution", "sealed_secret"])
        if said.change.get("secret_sha256"):
            audit.record(Event.SECRET_ERASED)
        if request.rekey is None:
            endings.end_within(request, State.EXECUTED, "Done.")
