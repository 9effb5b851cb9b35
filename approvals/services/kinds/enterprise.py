"""The kinds of the Enterprise Manager: keysets, the servers it answers, its answers, and whose keysets count.

What is asked about is read, not locked: the web may not change these rows, and the enterprise worker compares
them again under its own locks.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from approvals.errors import Invalid, NotFound, Stale
from approvals.models import Policy
from approvals.services import policies
from approvals.services.kinds.base import Begin, Draft, Origin, RequestKind, check_free
from approvals.services.wishes import Wish
from approvals.statement import Statement
from encryption.crypto import keysets as suites
from encryption.crypto import providers, seal
from encryption.crypto.encoding import canonical
from encryption.crypto.secret import Secret
from recovery import armor, order
from recovery.documents import export, forms
from recovery.errors import ForAnother, OutOfTime, Replayed, UnknownKeyset
from recovery.models import BackupServer, Keyset, RecoveryCase
from recovery.services import keysets, taking

KEYSET, SERVER, CASE = "keyset", "server", "case"
SHORTEST_PASSPHRASE = 15
# Of a keyset that is to be activated when nobody says otherwise; Veeam's own default.
WEEKS = 4

# Why what could be asked cannot be done any more.
_REFUSED = (ForAnother, OutOfTime, Replayed, UnknownKeyset)

Facts = Callable[[Wish], "Found"]
# From a statement's change to the digest that the order names.
Subject = Callable[[Mapping[str, Any]], str]


class Found:
    """What a wish is about: its target, its change, and what follows."""

    def __init__(self, kind: str, ref: UUID, name: str, change: Mapping[str, Any], *follows: str) -> None:
        digest = hashlib.sha256(canonical(dict(change))).hexdigest()
        self.ref = (kind, ref)
        self.target = {"fingerprint": digest, "id": str(ref), "name": name, "type": kind}
        self.change = dict(change)
        self.consequences = [{"text": text, "what": "follows"} for text in follows]


def _draft(facts: Facts, wish: Wish, origin: Origin) -> Draft:
    keysets.check_may_ask(origin.by)
    found = facts(wish)
    check_free([found.ref])
    secret = {"secret_sha256": hashlib.sha256(origin.sealed).hexdigest()} if origin.sealed else {}
    return Draft(policies.in_force(None), [found.target], found.change | secret, found.consequences)


def _policy(said: Statement, before: datetime) -> Policy:
    return policies.in_force(None, before)


def _compare(facts: Facts, said: Statement) -> None:
    change = {name: value for name, value in said.change.items() if name != "secret_sha256"}
    wish = Wish(
        kind=said.kind,
        reason=said.reason,
        jobs=(),
        encryption_password=None,
        is_new_value=False,
        hint="",
        scope="",
        start="",
        then="",
        custody=(),
        answers=(),
        keyset=_uuid(change.get("keyset")),
        server=_uuid(change.get("server")) if said.kind == "register_server" else None,
        case=_uuid(change.get("case")),
        text=str(change.get("text", "")),
        weeks=int(change.get("weeks", 0)),
    )
    try:
        found = facts(wish)
    except (Invalid, NotFound, *_REFUSED) as error:
        raise Stale(str(error)) from error
    if found.change != change or [dict(target) for target in said.targets] != [found.target]:
        raise Stale("It is not as it was when this was asked.")


def _order(action: str, subject: Subject, said: Statement, digest: str, secret: Secret | None) -> Begin:
    change, task = said.change, uuid4()
    sealed = None
    if secret is not None:
        public = providers.load_enterprise_seal_public(settings.PUBLIC_KEYS)
        sealed = seal.seal_intake(public, secret.reveal(), seal.intake_info(task))
    wish = order.Order(
        action=action,
        request=said.request,
        digest=digest,
        keyset=_uuid(change.get("keyset")),
        server=_uuid(change.get("server")),
        case=_uuid(change.get("case")),
        subject=subject(change),
        time=timezone.now(),
    )
    given = {name: change[name] for name in ("text", "weeks") if name in change}

    def begin(until: datetime) -> None:
        keysets.order_within(wish, task=task, given=given, sealed=sealed)

    return begin


def _of_keyset(keyset: Keyset) -> dict[str, Any]:
    return {
        "description": keyset.description,
        "keyset": str(keyset.pk),
        "public_sha256": hashlib.sha256(bytes(keyset.public)).hexdigest(),
        "suite": keyset.suite,
    }


def _keyset(wish: Wish, *states: str) -> Keyset:
    rows = Keyset.objects.filter(own=True)
    found = rows.filter(pk=wish.keyset).first() if wish.keyset else None
    if found is None:
        raise NotFound("There is no such keyset here.")
    if found.state not in states:
        raise Invalid(f"{found} is {found.get_state_display().lower()}: this is not possible now.")
    return found


def _activation(wish: Wish) -> Found:
    keyset = _keyset(wish, Keyset.State.INACTIVE, Keyset.State.RETIRED)
    suites.check_suite(keyset.suite)
    keysets.check_manager()
    former = Keyset.objects.filter(state=Keyset.State.ACTIVE).first()
    weeks = wish.weeks or WEEKS
    if weeks not in keysets.RETENTION_WEEKS:
        raise Invalid("A keyset is in force for 1 to 520 weeks.")
    change = _of_keyset(keyset) | {"retires": str(former.pk) if former else None, "weeks": weeks}
    follows = [f"New restore points are also wrapped for {keyset}: who holds its private half opens them."]
    if former is not None:
        follows.append(f"{former} still recovers what was wrapped for it; nothing new is.")
    return Found(KEYSET, keyset.pk, str(keyset), change, *follows)


def _export(wish: Wish) -> Found:
    keyset = _keyset(wish, Keyset.State.INACTIVE, Keyset.State.ACTIVE, Keyset.State.RETIRED)
    text = "The private half leaves the house under a passphrase: who has both opens every protected point."
    return Found(KEYSET, keyset.pk, str(keyset), _of_keyset(keyset), text)


def _deletion(wish: Wish) -> Found:
    keyset = _keyset(wish, Keyset.State.INACTIVE, Keyset.State.RETIRED)
    change = _of_keyset(keyset) | {"exported": keyset.exported_at is not None}
    text = (
        "An export of it exists: what was wrapped for it can still be recovered with that."
        if keyset.exported_at
        else "It was never exported: what was wrapped for it alone opens with its password only, for ever."
    )
    return Found(KEYSET, keyset.pk, str(keyset), change, text)


def _import(wish: Wish) -> Found:
    content = armor.read(armor.Kind.EXPORT, wish.text)
    head = export.read_head(content)
    held = Keyset.objects.filter(Q(pk=head.keyset), ~Q(state=Keyset.State.DELETED)).exists()
    if held:
        raise Invalid("This keyset is held here already.")
    change = {
        "export_sha256": hashlib.sha256(content).hexdigest(),
        "keyset": str(head.keyset),
        "suite": head.suite,
        "text": armor.write(armor.Kind.EXPORT, content),
    }
    name = head.description or str(head.keyset)
    text = "It stays inactive; what was wrapped for it can be opened."
    return Found(KEYSET, head.keyset, name, change, text)


def _taking(wish: Wish) -> Found:
    announced = taking.read(wish.text)
    told, former = announced.told, taking.check(announced.told, timezone.now())
    change = {
        "activated": forms.written(told.activated),
        "description": told.description,
        "enterprise": str(told.enterprise),
        "enterprise_key_sha256": hashlib.sha256(told.enterprise_key).hexdigest(),
        "expires": forms.written(told.expires),
        "fingerprint": announced.fingerprint,
        "keyset": str(told.keyset),
        "public_sha256": hashlib.sha256(told.public).hexdigest(),
        "retires": str(former.pk) if former else None,
        "suite": told.suite,
        "text": armor.write(armor.Kind.KEYSET, canonical(announced.envelope)),
    }
    name = told.description or str(told.keyset)
    follows = [
        f"New restore points are also wrapped for “{name}”: that Enterprise Manager's Security can have them"
        " opened.",
        "Compare the fingerprint on both sides, by another way than this text.",
    ]
    if former is None:
        follows.append("From then on keysets of this Enterprise Manager are taken, and of no other.")
    return Found(KEYSET, told.keyset, name, change, *follows)


def _take(said: Statement, digest: str, secret: Secret | None) -> Begin:
    text = str(said.change["text"])

    def begin(until: datetime) -> None:
        now = timezone.now().replace(microsecond=0)
        try:
            taking.take_within(text, request=said.request, now=now)
        except _REFUSED as error:
            raise Stale(str(error)) from error

    return begin


def _registration(wish: Wish) -> Found:
    server = BackupServer.objects.filter(pk=wish.server).first() if wish.server else None
    if server is None:
        raise NotFound("There is no such backup server.")
    if server.state != BackupServer.State.OFFERED:
        raise Invalid(f"{server} is {server.get_state_display().lower()} already.")
    change = {
        "fingerprint": server.fingerprint,
        "kem": server.kem,
        "name": server.name,
        "server": str(server.pk),
    }
    text = f"Requests that {server} signs are answered once approved; compare its fingerprint on both sides."
    return Found(SERVER, server.pk, server.name, change, text)


def _answer(wish: Wish) -> Found:
    rows = RecoveryCase.objects.select_related("server")
    rows = rows.filter(side=RecoveryCase.Side.ENTERPRISE)
    case = rows.filter(pk=wish.case).first() if wish.case else None
    if case is None or case.server is None:
        raise NotFound("There is no such case.")
    if case.state != RecoveryCase.State.ASKED:
        raise Invalid(f"This case is {case.get_state_display().lower()}: there is nothing to answer.")
    change = {
        "case": str(case.pk),
        "jobs": len(case.jobs),
        "keys": case.keys,
        "number": case.number,
        "request_sha256": case.request_sha256,
        "server": str(case.server_id),
        "server_name": case.server.name,
    }
    text = (
        f"{case.server} gets the keys of {case.keys} restore points of {len(case.jobs)} jobs:"
        " who works there then restores them without the password."
    )
    return Found(CASE, case.pk, case.number or str(case), change, text)


def _uuid(value: object) -> UUID | None:
    return UUID(str(value)) if value else None


def _kind(action: str, facts: Facts, subject: Subject) -> RequestKind:
    return RequestKind(
        draft=partial(_draft, facts),
        policy=_policy,
        compare=partial(_compare, facts),
        prepare=partial(_order, action, subject),
    )


def _nothing(change: Mapping[str, Any]) -> str:
    return ""


def _named(name: str) -> Subject:
    return lambda change: str(change[name])


ACTIVATE_KEYSET = _kind("activate", _activation, _nothing)
IMPORT_KEYSET = _kind("import", _import, _named("export_sha256"))
EXPORT_KEYSET = _kind("export", _export, _nothing)
DELETE_KEYSET = _kind("delete", _deletion, _nothing)
REGISTER_SERVER = _kind("register", _registration, _named("fingerprint"))
RECOVER_KEY = _kind("answer", _answer, _named("request_sha256"))
# Nothing is opened, and the private half lies elsewhere: the worker does it, without the enterprise worker.
TAKE_KEYSET = RequestKind(partial(_draft, _taking), _policy, partial(_compare, _taking), _take)
