"""The backup side of a recovery: a request made from recovery lines, and a response opened, once."""

import hashlib
import os
from collections.abc import Collection, Iterable
from datetime import timedelta
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from audit import dsse, queue
from audit import services as audit
from audit.events import Event
from encryption import selectors
from encryption.crypto import providers
from encryption.crypto.encoding import canonical, parse
from encryption.engines.base import Line
from encryption.engines.registry import engine_for
from encryption.errors import EngineError, JobRefused
from encryption.models import Engine, RestorePoint
from encryption.services import protection, runs
from recovery import armor
from recovery.documents import exchange, forms
from recovery.errors import ForAnother, OutOfTime, Replayed, UnknownKeyset
from recovery.models import BackupServer, Keyset, LossProtection, RecoveryCase
from recovery.services import identity

State, Side = RecoveryCase.State, RecoveryCase.Side
VALID = timedelta(days=7)
_SLACK = timedelta(minutes=5)


def ask(jobs: Collection[UUID], *, by: User, reason: str, number: str = "") -> RecoveryCase:
    """Ask for a request text about jobs whose password is lost; the worker makes it.

    Raises Unknown, NotEligible, JobRefused for a job that Veeam writes.
    """
    with audit.act(by=by, subject="recovery case"):
        found = [runs.locked(job, by, "restore", even_disabled=True) for job in sorted(set(jobs), key=str)]
        if not found:
            raise JobRefused("Name the jobs whose restore points are to be opened.")
        if any(job.repository.engine != Engine.NATIVE for job in found):
            raise JobRefused("What Veeam writes is recovered by its own Enterprise Manager.")
        case = RecoveryCase.objects.create(
            case=uuid4(),
            side=Side.BACKUP,
            number=number.strip()[:60],
            reason=reason.strip()[:2000],
            jobs=[str(job.pk) for job in found],
            created_by=by.pk,
        )
        audit.record(Event.CASE_MADE, subject=case, facts={"jobs": len(found), "side": case.side})
        queue.ring(queue.Task.RECOVERY_REQUEST, case.pk)
    return case


def make_request(row: UUID) -> None:
    """Make the signed request of a case from the recovery lines in the repositories; as the worker."""
    case = RecoveryCase.objects.filter(pk=row, side=Side.BACKUP, state=State.MADE).first()
    if case is None:
        return
    try:
        lines = list(_lines_of(case))
        if not lines:
            raise JobRefused(
                "No restore point of these jobs is protected by a keyset: none can be recovered."
            )
    except (EngineError, JobRefused, OSError) as error:
        _refuse(case, getattr(error, "message", "") or str(error))
        return
    key, now = providers.load_server(settings.WORKER_KEYS), timezone.now().replace(microsecond=0)
    server = protection.server_id(key.public_key().public_bytes_raw())
    request = exchange.Request(case.case, server, os.urandom(32), case.reason, now, tuple(lines))
    payload = exchange.build_request(request)
    envelope = dsse.sign(payload, key, forms.fingerprint(payload), payload_type=exchange.REQUEST_TYPE)
    with audit.act(by=audit.WORKER, subject=case):
        RecoveryCase.objects.filter(pk=row, state=State.MADE).update(
            state=State.ASKED,
            server=BackupServer.objects.get(own=True),
            request=canonical(envelope),
            request_sha256=hashlib.sha256(payload).hexdigest(),
            nonce=request.nonce,
            keys=len({line.storage_key for line in lines}),
            keysets=[str(keyset) for keyset in request.keysets],
            expires_at=now + VALID,
        )
        audit.record(
            Event.CASE_MADE, facts={"keys": len(lines), "request_sha256": forms.fingerprint(payload)}
        )


def _lines_of(case: RecoveryCase) -> Iterable[Line]:
    """One line a restore point: the newest keyset's, where there are several."""
    order = {keyset.pk: number for number, keyset in enumerate(Keyset.objects.order_by("activated_at"))}
    for job in selectors.jobs_named(UUID(text) for text in case.jobs):
        engine = engine_for(job.repository)
        live = RestorePoint.objects.filter(job=job, dropped_at=None, storage_key__isnull=False)
        for point in live.order_by("created_at"):
            lines = engine.recovery_lines(job.pk, point.pk)
            if lines:
                yield max(lines, key=lambda line: order.get(line.keyset, -1))


def text_of(case: RecoveryCase) -> str:
    """Return the request of a case as text. Raises UnknownKeyset while the worker has not made it."""
    if case.request is None:
        raise UnknownKeyset("The request is being made; look again in a moment.")
    return armor.write(armor.Kind.REQUEST, bytes(case.request))


def offer_response(row: UUID, text: str, *, by: User) -> RecoveryCase:
    """Take a response text for a case; the worker opens it.

    Raises Unreadable and its kinds, NotGenuine, ForAnother, OutOfTime, Replayed, Unknown.
    """
    with audit.act(by=by, subject=("recovery.recoverycase", row)):
        case = visible(by).select_for_update().get(pk=row)
        envelope = identity.envelope_in(armor.Kind.RESPONSE, text)
        check_response(case, envelope)
        RecoveryCase.objects.filter(pk=row).update(response=canonical(envelope))
        queue.ring(queue.Task.RECOVERY_RESPONSE, row)
    case.refresh_from_db()
    return case


def check_response(case: RecoveryCase, envelope: dict[str, object]) -> exchange.Response:
    """Return a response that belongs to this case, from the Enterprise Manager that was taken here."""
    trusted = LossProtection.objects.get(pk=1)
    if trusted.trusted_key is None:
        raise ForAnother("No Enterprise Manager was taken here yet: take its keyset first.")
    response = exchange.open_response(
        envelope, Ed25519PublicKey.from_public_bytes(bytes(trusted.trusted_key))
    )
    if case.state in (State.OPENED, State.USED):
        raise Replayed("This case was answered already, and a response is good once.")
    if (response.request, response.server) != (case.case, case.server_id):
        raise ForAnother("This response belongs to another request, or to another server.")
    if (response.request_sha256, response.nonce) != (case.request_sha256, bytes(case.nonce or b"")):
        raise ForAnother("This response answers another text than the request of this case.")
    now = timezone.now()
    if now >= response.expires or response.time > now + _SLACK:
        raise OutOfTime("This response is not valid any more: a response is good for a week.")
    return response


def open_response(row: UUID) -> None:
    """Open the response of a case and hold its keys, sealed; as the worker, once."""
    case = RecoveryCase.objects.filter(pk=row, side=Side.BACKUP, state=State.ASKED).first()
    if case is None or case.response is None:
        return
    with audit.attempt(by=audit.WORKER, subject=case) as attempt:
        envelope = forms.guarded(lambda: parse(bytes(case.response or b"")))
        response = check_response(case, envelope)
        key = providers.load_server_seal(settings.WORKER_KEYS)
        opened = exchange.open_keys(response.sealed, key, request=case.case, server=response.server)
        with attempt.act():
            held = RecoveryCase.objects.select_for_update().get(pk=row)
            if held.state != State.ASKED:
                return
            now = timezone.now()
            protection.keep_within(
                case.case,
                {one.storage_key: one.key for one in opened},
                [one.restore_point for one in opened],
                min(response.expires, now + VALID),
            )
            held.state, held.opened_at, held.number = State.OPENED, now, held.number or response.case
            held.save(update_fields=["state", "opened_at", "number"])
            audit.record(Event.CASE_OPENED, facts={"keys": len(opened)})


def visible(by: User) -> QuerySet[RecoveryCase]:
    """Return the cases of the backup side that somebody may see: who may see jobs everywhere."""
    found = RecoveryCase.objects.filter(side=Side.BACKUP)
    return found if by.has_perm("encryption.view_job") else found.filter(created_by=by.pk)


def _refuse(case: RecoveryCase, why: str) -> None:
    with audit.act(by=audit.WORKER, subject=case):
        RecoveryCase.objects.filter(pk=case.pk).update(state=State.REFUSED, why=why)
        audit.record(Event.CASE_REFUSED, facts={"reason": why})
