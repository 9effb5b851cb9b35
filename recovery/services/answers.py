"""The Enterprise side of a recovery: a request checked by name, and answered after four eyes, once."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from audit import dsse
from audit import services as audit
from audit.events import Event
from encryption.crypto import providers
from encryption.crypto.encoding import canonical, parse
from encryption.engines.native.recovery import Line, verify_line
from recovery import armor
from recovery.documents import exchange, forms
from recovery.errors import NotGenuine, OutOfTime, Replayed, UnknownKeyset, UnknownServer
from recovery.models import BackupServer, Keyset, RecoveryCase
from recovery.services import identity, keysets, private

State, Side = RecoveryCase.State, RecoveryCase.Side
VALID = timedelta(days=7)
_SLACK = timedelta(minutes=5)
# Signatures of so many lines are verified as the text arrives; the enterprise worker verifies all, always.
_AT_ONCE = 2_000


def receive(text: str, *, by: User, number: str) -> RecoveryCase:
    """Take a backup server's request; it is answered once Security approves.

    Raises Unreadable and its kinds, NotGenuine, UnknownServer, UnknownKeyset, OutOfTime, Replayed.
    """
    with audit.act(by=by, subject="recovery case"):
        keysets.check_may_ask(by)
        envelope = identity.envelope_in(armor.Kind.REQUEST, text)
        request, payload = read(envelope)
        check_lines(request.lines[:_AT_ONCE])
        digest = hashlib.sha256(payload).hexdigest()
        case = RecoveryCase.objects.create(
            case=request.request,
            side=Side.ENTERPRISE,
            state=State.ASKED,
            number=number.strip()[:60],
            reason=request.reason,
            server_id=request.server,
            request=canonical(envelope),
            request_sha256=digest,
            nonce=request.nonce,
            jobs=sorted({str(line.job) for line in request.lines}),
            keysets=[str(keyset) for keyset in request.keysets],
            keys=len({line.storage_key for line in request.lines}),
            created_by=by.pk,
            expires_at=request.time + VALID,
        )
        facts = {"keys": case.keys, "request_sha256": digest, "server": request.server}
        audit.record(Event.CASE_RECEIVED, subject=case, facts=facts)
    return case


def read(envelope: dict[str, object], *, known: UUID | None = None) -> tuple[exchange.Request, bytes]:
    """Return a request that a registered server signed, in time, not seen before but as case `known`."""
    server = server_named(exchange.asking_server(envelope))
    request, payload = exchange.open_request(envelope, _signing(server))
    if request.server != server.pk:
        raise NotGenuine("The request names another server than the one that signed it.")
    now = timezone.now()
    if not now - VALID <= request.time <= now + _SLACK:
        raise OutOfTime("This request is too old, or from the future: a request is answered within a week.")
    seen = RecoveryCase.objects.filter(side=Side.ENTERPRISE)
    seen = seen if known is None else seen.exclude(pk=known)
    if seen.filter(case=request.request).exists() or seen.filter(nonce=request.nonce).exists():
        raise Replayed("This request was received before: a request is answered once.")
    _check_keysets(request.keysets)
    return request, payload


def server_named(server: UUID) -> BackupServer:
    """Return a registered backup server. Raises UnknownServer, by name."""
    found = BackupServer.objects.filter(pk=server).first()
    if found is None:
        raise UnknownServer(f"No backup server {server} is registered here: register it first.")
    if found.state == BackupServer.State.REVOKED:
        raise UnknownServer(f"The backup server {found} was revoked: nothing is opened for it.")
    if found.state != BackupServer.State.REGISTERED:
        raise UnknownServer(f"The backup server {found} was offered, and not approved yet.")
    return found


def _check_keysets(named: Iterable[UUID]) -> None:
    rows = Keyset.objects.in_bulk(list(named))
    for keyset in named:
        row = rows.get(keyset)
        if row is None or not row.own:
            raise UnknownKeyset(f"Keyset {keyset} is not held here: ask the Enterprise Manager that made it.")
        if row.state == Keyset.State.DELETED:
            raise UnknownKeyset(f"{row} was deleted: what was wrapped for it alone cannot be opened by it.")


def check_lines(lines: Iterable[Line]) -> None:
    """Refuse a line that that no registered server signed. Raises UnknownServer, BadRecoveryLine.

    What a server wrote before it was revoked is still recovered, through another one.
    """
    known: dict[UUID, Ed25519PublicKey] = {}
    for line in lines:
        if line.server not in known:
            signer = BackupServer.objects.filter(pk=line.server).exclude(registered_at=None).first()
            known[line.server] = _signing(signer or server_named(line.server))
        verify_line(line, known[line.server])


def answer(case_row: UUID, subject: str) -> None:
    """Open the keys of a case and seal them to the server that asked; as the enterprise worker, ordered."""
    case = RecoveryCase.objects.get(pk=case_row, side=Side.ENTERPRISE)
    if case.state == State.ANSWERED:
        return
    envelope = forms.guarded(lambda: parse(bytes(case.request or b"")))
    request, payload = read(envelope, known=case.pk)
    if hashlib.sha256(payload).hexdigest() != subject or request.request != case.case:
        raise NotGenuine("The request is not the one that was approved.")
    check_lines(request.lines)
    response = _response(case, request, subject, _opened(request.lines))
    with audit.act(by=audit.ENTERPRISE, subject=case):
        held = RecoveryCase.objects.select_for_update().get(pk=case.pk)
        held.response, held.state, held.answered_at = response, State.ANSWERED, timezone.now()
        held.save(update_fields=["response", "state", "answered_at"])
        audit.record(Event.CASE_ANSWERED, facts={"keys": case.keys, "server": case.server_id})


def _opened(lines: Iterable[Line]) -> list[exchange.OpenedKey]:
    openers = {}
    found = []
    for line in lines:
        if line.keyset not in openers:
            openers[line.keyset] = private.opener_of(Keyset.objects.get(pk=line.keyset))
        key = openers[line.keyset](line.wrapped, line.bound_to)
        found.append(exchange.OpenedKey(line.job, line.restore_point, line.storage_key, key))
    return found


def _response(
    case: RecoveryCase, request: exchange.Request, subject: str, opened: list[exchange.OpenedKey]
) -> bytes:
    key, now = providers.load_enterprise(settings.ENTERPRISE_KEYS), timezone.now().replace(microsecond=0)
    server = server_named(request.server)
    payload = exchange.build_response(
        exchange.Response(
            request=request.request,
            request_sha256=subject,
            nonce=request.nonce,
            server=server.pk,
            enterprise=keysets.enterprise_here(),
            case=case.number,
            sealed=exchange.seal_keys(opened, _sealing(server), request=request.request, server=server.pk),
            time=now,
            expires=now + VALID,
        )
    )
    signed = dsse.sign(payload, key, forms.fingerprint(payload), payload_type=exchange.RESPONSE_TYPE)
    return canonical(signed)


def text_of(case: RecoveryCase) -> str:
    """Return the response of a case as text. Raises UnknownKeyset while there is none."""
    if case.response is None:
        raise UnknownKeyset("This case has no answer yet.")
    return armor.write(armor.Kind.RESPONSE, bytes(case.response))


def _signing(server: BackupServer) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(bytes(server.signing_key))


def _sealing(server: BackupServer) -> exchange.SealingPublic:
    if server.kem == "x25519":
        return X25519PublicKey.from_public_bytes(bytes(server.sealing_key))
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), bytes(server.sealing_key))
