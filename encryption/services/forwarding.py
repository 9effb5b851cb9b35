"""Forwarders of the log: made and stopped by an administrator, filled by the worker.

They stand here and not beside the log because who may make one is a role, and because their secret is sealed:
to the worker's intake key as it arrives, for this very place, and under the master key from then on. A row
whose place was altered opens no secret.
"""

from typing import Any
from uuid import UUID, uuid5

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.errors import NotEligible
from accounts.models import Role, User
from audit import queue
from audit import services as audit
from audit.errors import KeyUnavailable, Later, NotReceived
from audit.events import Event
from audit.forwarders import chats, gate
from audit.forwarders.posts import SHORTEST_KEY
from audit.forwarders.streams import Tls
from audit.models import Forwarder
from audit.services import forwarding
from encryption.crypto.encoding import canonical
from encryption.crypto.secret import Secret
from encryption.errors import ForwarderRefused, KeyMaterialError, SealBroken, Unknown
from encryption.services import intake, resting

_LONGEST_PEM = 65_536
# What a change may name; the worker's own columns are not among them.
_PLACE = ("way", "host", "port", "path", "authority", "certificate")
_PLAIN = ("name", "form", "only_alarms", "with_names")
_ADDRESS = ("host", "port", "path")


@sensitive_variables("secret")
def make(*, by: User, secret: Secret | None = None, from_start: bool = False, **fields: Any) -> Forwarder:
    """Make a forwarder; it sends from now on, or the whole log. Raises NotEligible, ForwarderRefused."""
    with audit.act(by=by, subject="forwarder"):
        _check_administrator(by)
        row = Forwarder(**_known(fields))
        _lead_by(row, secret)
        _check(row)
        _offer(row, secret)
        row.position = -1 if from_start else forwarding.head()
        row.save(force_insert=True)
        audit.record(Event.FORWARDER_MADE, subject=row, facts=_facts(row) | {"from": row.position + 1})
        queue.ring(queue.Task.FORWARD, row.pk)
    return row


@sensitive_variables("secret")
def change(forwarder_id: UUID, *, by: User, secret: Secret | None = None, **fields: Any) -> Forwarder:
    """Change a forwarder; the position stays. A secret of another place must be given anew.

    Raises NotEligible, ForwarderRefused, Unknown.
    """
    with audit.act(by=by, subject=("audit.forwarder", forwarder_id)):
        _check_administrator(by)
        row = _locked(forwarder_id)
        before, led = _bound(row), {name: getattr(row, name) for name in _ADDRESS}
        for name, value in _known(fields).items():
            setattr(row, name, value)
        _lead_by(row, secret, led)
        _check(row)
        row.changed_at = timezone.now()
        update = [*_PLACE, *_PLAIN, "changed_at"]
        if secret is not None or (before != _bound(row) and _needs_secret(row)):
            _offer(row, secret)
            update.append("offered_secret")
        row.save(update_fields=update)
        audit.record(Event.FORWARDER_CHANGED, facts=_facts(row) | {"secret": secret is not None})
    return row


def stop(forwarder_id: UUID, *, by: User) -> Forwarder:
    """Stop sending; the place is kept, and so is the position. Raises NotEligible, Unknown."""
    return _switch(forwarder_id, False, Event.FORWARDER_STOPPED, by=by)


def resume(forwarder_id: UUID, *, by: User) -> Forwarder:
    """Send again, from the last entry that was received. Raises NotEligible, Unknown."""
    return _switch(forwarder_id, True, Event.FORWARDER_RESUMED, by=by)


def test(forwarder_id: UUID, *, by: User) -> Forwarder:
    """Write an entry for it to send, and try at once; the list shows whether it was received.

    Raises NotEligible, ForwarderRefused for one that is stopped, Unknown.
    """
    with audit.act(by=by, subject=("audit.forwarder", forwarder_id)):
        _check_administrator(by)
        row = _locked(forwarder_id)
        if not row.active:
            raise ForwarderRefused("This forwarder is stopped: resume it first.")
        audit.record(Event.FORWARDER_TESTED)
        queue.ring(queue.Task.FORWARD, row.pk)
    return row


def run(forwarder_id: UUID) -> None:
    """Send what waits, in the worker. Raises Later, to come again."""
    after = forwarding.forward(forwarder_id, secret_of=secret_of)
    # A test rang beside the row that always comes again: one of them is enough, and beat sees to it.
    if after is not None and not forwarding.rung_beside(forwarder_id):
        raise Later(after)


def secret_of(row: Forwarder) -> bytes:
    """Return a forwarder's secret, in the worker. Raises NotReceived, which the list shows."""
    try:
        if row.offered_secret is not None:
            return _take_offer(row)
        if row.sealed_secret is None:
            raise NotReceived("Its key is missing: enter it again.")
        return resting.opened(COLUMN, row)
    except SealBroken as error:
        raise NotReceived("Its key was given for another place: enter it again.") from error
    except (KeyMaterialError, KeyUnavailable) as error:
        raise NotReceived("The worker cannot read its own keys.") from error


def _take_offer(row: Forwarder) -> bytes:
    offered = bytes(row.offered_secret or b"")
    value = intake.open_for(_owner(row), offered).reveal()
    sealed = resting.sealed(COLUMN, row, value)
    # Another may have been offered meanwhile: that one stays for the next time.
    rows = Forwarder.objects.filter(pk=row.pk, offered_secret=offered)
    rows.update(sealed_secret=sealed, offered_secret=None)
    return value


def _switch(forwarder_id: UUID, active: bool, event: Event, *, by: User) -> Forwarder:
    with audit.act(by=by, subject=("audit.forwarder", forwarder_id)):
        _check_administrator(by)
        row = _locked(forwarder_id)
        if row.active != active:
            row.active, row.changed_at = active, timezone.now()
            row.save(update_fields=["active", "changed_at"])
            audit.record(event, facts={"position": row.position})
            if active:
                queue.ring(queue.Task.FORWARD, row.pk)
    return row


def _check_administrator(by: User) -> None:
    """Refuse everybody but a Backup administrator: operators may not read what a forwarder sends."""
    if not by.has_role(Role.ADMINISTRATOR):
        raise NotEligible("Backup administrators alone say where the log is forwarded to.")


def _locked(forwarder_id: UUID) -> Forwarder:
    row = Forwarder.objects.select_for_update().filter(pk=forwarder_id).first()
    if row is None:
        raise Unknown("There is no such forwarder.")
    return row


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    if strange := set(fields) - {*_PLACE, *_PLAIN}:
        raise ForwarderRefused(f"A forwarder has no {', '.join(sorted(strange))}.")
    return fields


@sensitive_variables("secret")
def _lead_by(row: Forwarder, secret: Secret | None, led: dict[str, Any] | None = None) -> None:
    """Let a chat's secret address alone say where it leads, whatever was typed; without one, as before."""
    if row.way != Forwarder.Way.APPRISE:
        return
    if secret is None:
        if led is None:
            raise ForwarderRefused("The address of the chat is missing: enter it as the key.")
        found = tuple(led.values())
    else:
        try:
            found = chats.place(secret.reveal().decode("ascii", "replace"))
        except ValueError as error:
            raise ForwarderRefused(str(error)) from None
    row.host, row.port, row.path = found


def _check(row: Forwarder) -> None:
    row.name, row.authority, row.certificate = (
        row.name.strip(),
        row.authority.strip(),
        row.certificate.strip(),
    )
    if not row.name or len(row.name) > 80 or not row.name.isprintable():
        raise ForwarderRefused("A forwarder has a name of at most 80 signs.")
    if Forwarder.objects.filter(name=row.name).exclude(pk=row.pk).exists():
        raise ForwarderRefused("Another forwarder has this name.")
    if (row.way == Forwarder.Way.WEBHOOK) != (row.form == Forwarder.Form.JSON):
        raise ForwarderRefused("A webhook speaks JSON, and JSON goes by a webhook alone.")
    chat = row.way == Forwarder.Way.APPRISE
    if chat != (row.form == Forwarder.Form.TEXT) or (chat and not row.only_alarms):
        raise ForwarderRefused("A chat takes plain text, of alarms only; no other way does.")
    try:
        _check_place(row)
    except ValueError as error:
        raise ForwarderRefused(str(error)) from error


def _check_place(row: Forwarder) -> None:
    row.port = row.port or 0
    if row.way == Forwarder.Way.WEBHOOK:
        row.host, row.port, row.path = gate.webhook_at(f"https://{row.host}:{row.port}{row.path or '/'}")
    elif row.way != Forwarder.Way.APPRISE:
        row.host, row.path = gate.host_named(row.host), ""
    if not 1 <= row.port <= 65_535:
        raise ForwarderRefused("A port is a number from 1 to 65535.")
    if row.certificate and row.way != Forwarder.Way.TLS:
        raise ForwarderRefused("A certificate of our own belongs to syslog over TLS alone.")
    for text in filter(None, (row.authority, row.certificate)):
        if len(text) > _LONGEST_PEM or "-----BEGIN CERTIFICATE-----" not in text:
            raise ForwarderRefused("A certificate is given in PEM form.")
    if row.authority:
        try:
            Tls(row.host, row.authority).context()
        except NotReceived as error:
            raise ForwarderRefused("The authority's certificate cannot be read.") from error


def _needs_secret(row: Forwarder) -> bool:
    return row.way in (Forwarder.Way.WEBHOOK, Forwarder.Way.APPRISE) or bool(row.certificate)


def _offer(row: Forwarder, secret: Secret | None) -> None:
    if secret is None or not secret.reveal():
        if _needs_secret(row):
            raise ForwarderRefused("The key is missing: the webhook's, the certificate's or the address.")
        row.offered_secret = None
        return
    if row.way == Forwarder.Way.WEBHOOK and len(secret.reveal()) < SHORTEST_KEY:
        raise ForwarderRefused(f"A webhook's key has at least {SHORTEST_KEY} signs.")
    if not _needs_secret(row):
        raise ForwarderRefused("This way needs no key.")
    row.offered_secret = intake.seal_for(_owner(row), secret)


def _bound(row: Forwarder) -> str:
    """Return what the secret is bound to."""
    return canonical({name: getattr(row, name) for name in _PLACE}).decode()


def _owner(row: Forwarder) -> UUID:
    return uuid5(row.pk, _bound(row))


def _purpose(row: Forwarder) -> str:
    return f"forwarder {_bound(row)}"


def _facts(row: Forwarder) -> dict[str, object]:
    shown = ("way", "form", "host", "port", "path", "only_alarms", "with_names")
    facts = {name: getattr(row, name) for name in shown}
    return facts | {"authority": bool(row.authority), "certificate": bool(row.certificate)}


COLUMN = resting.Column(Forwarder, "sealed_secret", _purpose)
