"""Asking: a wish becomes a statement that others decide on; and taking it back."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Unpack
from uuid import UUID, uuid4

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.models import User
from approvals import rules, selectors
from approvals import statement as statements
from approvals.errors import DigestMismatch, Expired, Invalid, NotEligible, NotPending, OpenRequestExists
from approvals.models import ApprovalRequest, Kind, RequestTarget, State
from approvals.services import drafts, endings, wishes
from approvals.services.drafts import Origin
from approvals.services.kinds.enterprise import SHORTEST_PASSPHRASE
from approvals.services.wishes import Asked, Wish
from approvals.statement import Statement
from audit import queue
from audit import services as audit
from audit.alarms import Kind as Alarms
from audit.events import Event
from audit.queue import Task
from audit.selectors import open_alarms
from audit.services.alarms import resolve_alarm_within
from encryption import selectors as encryption
from encryption.crypto import secret as secrets
from encryption.crypto.secret import Secret
from encryption.models import EncryptionPassword, Job
from encryption.services import intake


@dataclass(frozen=True, slots=True)
class Preview:
    """What a request would say, before it is asked; nothing is written."""

    statement: Statement
    digest: str


def ask(kind: str, *, by: User, via_token: bool = False, **given: Unpack[Asked]) -> ApprovalRequest:
    """Ask for a change of encryption and return the pending request.

    The new password is checked and sealed before anything else; from there on it is nowhere in clear (P9).
    Raises Invalid, NotEligible, NotFound, OpenRequestExists, JobBusy or SecurityRoleTooSmall.
    """
    request_id = uuid4()
    with audit.attempt(by=by, subject=(endings.SUBJECT, request_id)) as attempt:
        wish = wishes.read(kind, given)
        sealed = _sealed(request_id, wish, given, by)
        with attempt.act():
            now = timezone.now()
            origin = Origin(request_id, _next_number(), by, via_token, now, sealed)
            said, _ = drafts.compose_within(wish, origin)
            request = _write(said, sealed, now)
            audit.record(
                Event.REQUEST_CREATED,
                subject=request,
                facts={"kind": kind, "number": request.number, "digest": request.digest, "token": via_token},
            )
            queue.ring(Task.NOTIFY, request.pk)
            _answer_alarms_within(request)
    return request


def preview(kind: str, *, by: User, **given: Unpack[Asked]) -> Preview:
    """Return what a request would say, with its consequences, by the same checks as `ask`; write nothing.

    A password given here is checked and forgotten; the digest of the real request will be another one.
    """
    with audit.attempt(by=by, subject=endings.SUBJECT):
        wish = wishes.read(kind, given)
        sealed = _sealed(uuid4(), wish, given, by)
        with transaction.atomic():
            origin = Origin(uuid4(), 0, by, False, timezone.now(), sealed)
            said, _ = drafts.compose_within(wish, origin)
    return Preview(said, statements.digest(statements.build(said)))


def withdraw(request_id: UUID, *, by: User, digest: str) -> ApprovalRequest:
    """Take back one's own pending request, with whichever account of the same person."""
    with audit.attempt(by=by, subject=(endings.SUBJECT, request_id)) as attempt:
        selectors.get_visible(request_id, by)
        with attempt.act():
            request = endings.locked_within(request_id)
            if by.person_id != request.asker_person_id:
                raise NotEligible("Only who asked for this can withdraw it.")
            _check_pending(request)
            if digest != request.digest:
                raise DigestMismatch("This is not the text of the request that you want to withdraw.")
            endings.end_within(request, State.WITHDRAWN, "Withdrawn by the asker.")
    return request


def _check_pending(request: ApprovalRequest) -> None:
    state = selectors.state_at(request)
    if state == State.EXPIRED:
        raise Expired("The time to decide is over.")
    if state != State.PENDING:
        raise NotPending("This request is not waiting for a decision any more.")


def _write(said: Statement, sealed: bytes | None, now: datetime) -> ApprovalRequest:
    data = statements.build(said)
    if len(data) > statements.MAX_STATEMENT:
        raise Invalid("This request is too long; ask for fewer jobs at once.")
    # Refuses a policy that asks for nobody before a request stands under it.
    rules.PolicyFacts.read(said.policy)
    request = ApprovalRequest.objects.create(
        id=said.request,
        number=said.number,
        kind=said.kind,
        asker_id=said.asker.user,
        asker_person_id=said.asker.person,
        statement=data,
        digest=hashlib.sha256(data).hexdigest(),
        policy=dict(said.policy),
        sealed_secret=sealed,
        decide_by=statements.read_time(statements.written(said.decide_by)),
        created_at=now,
    )
    targets = [RequestTarget(request=request, type=type_, ref=ref) for type_, ref in sorted(said.touched())]
    try:
        with transaction.atomic():
            RequestTarget.objects.bulk_create(targets)
    except IntegrityError as error:
        raise OpenRequestExists("Another open request touches this.") from error
    return request


def _next_number() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('approvals_request_number')")
        return int(cursor.fetchone()[0])


def _answer_alarms_within(request: ApprovalRequest) -> None:
    """Close the alarms of former approvals of the same targets that went stale: they were asked for again."""
    refs = list(request.targets.values_list("ref", flat=True))
    former = ApprovalRequest.objects.filter(state=State.STALE, targets__ref__in=refs)
    raised = set(open_alarms().filter(kind=Alarms.REQUEST_STALE).values_list("subject_id", flat=True))
    for stale in former.filter(pk__in=raised).distinct():
        resolve_alarm_within(Alarms.REQUEST_STALE, stale)


def _hints(wish: Wish, by: User) -> list[str]:
    """Return the names that a guesser would try; at least those that the worker will judge by."""
    if wish.encryption_password is None:
        jobs = list(Job.objects.filter(pk__in=wish.jobs).values_list("name", flat=True))
        return [wish.hint, *jobs, by.username]
    password = EncryptionPassword.objects.filter(pk=wish.encryption_password).first()
    under = encryption.jobs_of_password(wish.encryption_password)
    return [wish.hint or (password.hint if password else ""), *(job.name for job in under), by.username]


@sensitive_variables("given", "typed", "secret")
def _sealed(request_id: UUID, wish: Wish, given: Asked, by: User) -> bytes | None:
    """Return the secret that a wish brings, sealed: a new password, or the passphrase of an export."""
    typed = given.get("passphrase")
    if typed is None:
        return _seal(request_id, given.get("new_password"), hints=_hints(wish, by))
    text = typed if isinstance(typed, str) else typed.reveal().decode()
    if wish.kind == Kind.EXPORT_KEYSET and len(text) < SHORTEST_PASSPHRASE:
        raise Invalid(f"The passphrase of an export has at least {SHORTEST_PASSPHRASE} characters.")
    with secrets.check_password(text) as secret:
        return intake.seal_for(request_id, secret)


@sensitive_variables("password", "typed", "secret")
def _seal(request_id: UUID, password: Secret | str | None, *, hints: Sequence[str]) -> bytes | None:
    if password is None:
        return None
    typed = password if isinstance(password, str) else password.reveal().decode()
    with intake.check_new(typed, hints=hints) as secret:
        return intake.seal_for(request_id, secret)
