"""Keysets through their life: wished for, ordered, and done by the enterprise worker alone.

A new keyset is of no use until an approved request activates it, so whoever runs the Enterprise Manager may
wish for one. Everything else begins with an order that the worker signed.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.errors import NotEligible
from accounts.models import Role, User
from audit import dsse, keys, queue
from audit import services as audit
from audit.events import Event
from encryption.crypto import keysets, providers
from encryption.crypto.encoding import canonical, from_base64
from encryption.errors import KeyMaterialError
from encryption.models import KeysetGuard
from recovery import armor, order
from recovery.documents import forms, identities
from recovery.errors import ForAnother, UnknownKeyset
from recovery.models import EnterpriseTask, Keyset, LossProtection
from recovery.services import private

RETENTION_WEEKS = range(1, 521)


def generate(*, by: User, suite: str, description: str) -> EnterpriseTask:
    """Wish for a new keyset; it stays inactive. Raises NotEligible, KeyMaterialError, NotApproved."""
    with audit.act(by=by, subject="keyset"):
        check_may_ask(by)
        if suite not in (keysets.RSA, keysets.X_WING):
            raise KeyMaterialError(f"A keyset is of suite {keysets.RSA} or {keysets.X_WING}.")
        keysets.check_suite(suite)
        given = {"description": description.strip()[:200], "suite": suite}
        task = EnterpriseTask.objects.create(action="generate", given=given, asked_by=by.pk)
        audit.record(Event.KEYSET_WISHED, subject=("recovery.keyset", task.pk), facts={"suite": suite})
        queue.ring(queue.Task.ENTERPRISE, task.pk)
    return task


def check_may_ask(by: User) -> None:
    """Refuse who neither runs the Enterprise Manager nor sits in Security."""
    if not (by.is_security or by.has_role(Role.ENTERPRISE)):
        raise NotEligible("Enterprise administrators and members of Security ask for this.")


def order_within(
    wish: order.Order, *, task: UUID, given: Mapping[str, Any] | None = None, sealed: bytes | None = None
) -> EnterpriseTask:
    """Sign an order for an approved request and ring for it, in the caller's transaction; as the worker."""
    made = EnterpriseTask.objects.create(
        id=task,
        action=wish.action,
        order=order.sign(wish, keys.signing_key(), keys.signing_keyid()),
        given=dict(given or {}),
        sealed=sealed,
        request=wish.request,
    )
    facts = {"action": wish.action, "request": wish.request}
    audit.record(Event.ENTERPRISE_ORDERED, subject=("recovery.enterprisetask", task), facts=facts)
    queue.ring(queue.Task.ENTERPRISE, task)
    return made


# --- done by the enterprise worker ------------------------------------------------------------------------


def make(task: EnterpriseTask) -> None:
    """Make the pair that a task wishes for; its row is the keyset's id, so again is the same."""
    if Keyset.objects.filter(pk=task.pk).exists():
        return
    suite = task.given["suite"]
    private.keep(task.pk, keysets.generate(suite).private)
    # After a kill between file and row the file counts: the public half is read from it.
    half = private.kept(task.pk)
    keyset = Keyset(
        id=task.pk,
        suite=suite,
        public=keysets.public_of(suite, half),
        description=task.given["description"],
        enterprise=enterprise_here(),
    )
    with audit.act(by=audit.ENTERPRISE, subject=("recovery.keyset", keyset.pk)):
        keyset.save(force_insert=True)
        audit.record(Event.KEYSET_GENERATED, facts={"suite": suite})


def activate_within(keyset_id: UUID, *, weeks: int, now: datetime) -> Keyset:
    """Bring a keyset in force: announce it, retire the former one, guard what is written from now on.

    Raises UnknownKeyset, ForAnother, NotApproved.
    """
    check_manager()
    keyset = _locked(keyset_id, Keyset.State.INACTIVE, Keyset.State.RETIRED)
    keysets.check_suite(keyset.suite)
    key = providers.load_enterprise(settings.ENTERPRISE_KEYS)
    expires = now + timedelta(weeks=weeks)
    payload = identities.build_keyset(
        identities.Announcement(
            keyset=keyset.pk,
            suite=keyset.suite,
            public=bytes(keyset.public),
            description=keyset.description,
            enterprise=keyset.enterprise,
            enterprise_key=key.public_key().public_bytes_raw(),
            activated=now,
            expires=expires,
        )
    )
    Keyset.objects.filter(state=Keyset.State.ACTIVE).update(state=Keyset.State.RETIRED)
    keyset.announcement = dsse.sign(
        payload, key, forms.fingerprint(payload), payload_type=identities.KEYSET_TYPE
    )
    keyset.state, keyset.activated_at, keyset.expires_at = Keyset.State.ACTIVE, now, expires
    keyset.save(update_fields=["announcement", "state", "activated_at", "expires_at"])
    # Where both roles share an installation, its backup side takes its own Enterprise Manager.
    LossProtection.objects.filter(pk=1, trusted_key=None).update(
        trusted_enterprise=keyset.enterprise, trusted_key=key.public_key().public_bytes_raw()
    )
    guard_within(keyset, now)
    audit.record(Event.KEYSET_ACTIVATED, subject=keyset, facts={"expires": expires, "suite": keyset.suite})
    return keyset


def check_manager() -> None:
    """Refuse an own keyset where another's was taken: its answers would not be believed here.

    Raises ForAnother.
    """
    held = LossProtection.objects.filter(pk=1).first()
    if held is not None and held.trusted_enterprise not in (None, held.enterprise):
        raise ForAnother("Another Enterprise Manager was taken here: its keysets protect, no own ones.")


def guard_within(keyset: Keyset, now: datetime) -> None:
    """Have new restore points wrapped for a keyset, and for no other."""
    KeysetGuard.objects.filter(until=None).exclude(keyset=keyset.pk).update(until=now)
    KeysetGuard.objects.update_or_create(
        keyset=keyset.pk,
        defaults={"suite": keyset.suite, "public": bytes(keyset.public), "since": now, "until": None},
    )


def delete_within(keyset_id: UUID, now: datetime) -> None:
    """Forget a keyset that is not in force; its file goes after the commit."""
    keyset = _locked(keyset_id, Keyset.State.INACTIVE, Keyset.State.RETIRED)
    keyset.state, keyset.deleted_at = Keyset.State.DELETED, now
    keyset.save(update_fields=["state", "deleted_at"])
    audit.record(Event.KEYSET_DELETED, subject=keyset)


def announcement_text(keyset: Keyset) -> str:
    """Return a keyset's announcement as text. Raises UnknownKeyset while it was never activated."""
    if keyset.announcement is None:
        raise UnknownKeyset(f"{keyset} was never activated: nothing is announced.")
    return armor.write(armor.Kind.KEYSET, canonical(keyset.announcement))


def fingerprint_of(keyset: Keyset) -> str:
    """Return what people compare of an announcement. Raises UnknownKeyset while there is none."""
    if keyset.announcement is None:
        raise UnknownKeyset(f"{keyset} was never activated: nothing is announced.")
    return forms.fingerprint(from_base64(keyset.announcement["payload"]))


def enterprise_here() -> UUID:
    """Return the id of this Enterprise Manager. Raises UnknownKeyset."""
    found = LossProtection.objects.get(pk=1).enterprise
    if found is None:
        raise UnknownKeyset("This installation is no Enterprise Manager: run setup.")
    return found


def _locked(keyset_id: UUID, *states: str) -> Keyset:
    keyset = Keyset.objects.select_for_update().filter(pk=keyset_id).first()
    if keyset is None or keyset.state not in states:
        raise UnknownKeyset("There is no such keyset, or it is in another state than was approved.")
    return keyset
