"""Another installation's keyset taken here: announced as a text, compared by people, approved, trusted.

This is how an installation that is a backup server alone gets what its restore points are wrapped for. The
first announcement decides whose they are: every later one comes from the same Enterprise Manager.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit import services as audit
from audit.events import Event
from encryption.crypto import keysets as suites
from encryption.errors import KeyMaterialError
from recovery import armor
from recovery.documents import forms, identities
from recovery.errors import ForAnother, NotGenuine, OutOfTime, Replayed, UnknownKeyset
from recovery.models import Keyset, LossProtection
from recovery.services import identity, keysets


@dataclass(frozen=True, slots=True)
class Announced:
    """What a text announces, the envelope that it came in, and the fingerprint that people compare."""

    told: identities.Announcement
    envelope: dict[str, object]
    fingerprint: str


def read(text: str) -> Announced:
    """Return what a text announces. Raises Unreadable and its kinds, NotGenuine, NotApproved."""
    envelope = identity.envelope_in(armor.Kind.KEYSET, text)
    told, payload = identities.open_keyset(envelope)
    suites.check_suite(told.suite)
    try:
        suites.wrapper(told.suite, told.public)
    except KeyMaterialError as error:
        raise NotGenuine("The announcement carries no public half of its suite.") from error
    return Announced(told, envelope, forms.fingerprint(payload))


def check(told: identities.Announcement, now: datetime) -> Keyset | None:
    """Return the keyset that retires when this one is taken; refuse, by name, what is not to be taken.

    Raises UnknownKeyset before setup, ForAnother, OutOfTime, Replayed.
    """
    held = LossProtection.objects.filter(pk=1).first()
    if held is None:
        raise UnknownKeyset("This installation does not know itself yet: run setup.")
    if told.enterprise == held.enterprise:
        raise ForAnother("This installation announced the keyset itself: there is nothing to take.")
    trusted = (held.trusted_enterprise, bytes(held.trusted_key or b""))
    if held.trusted_key is not None and trusted != (told.enterprise, told.enterprise_key):
        raise ForAnother("Another Enterprise Manager announces this keyset than the one that was taken here.")
    if told.expires <= now:
        raise OutOfTime("The time of this keyset is over: take the announcement of the one in force.")
    if Keyset.objects.filter(pk=told.keyset, own=True).exists():
        raise Replayed("The private half of this keyset was imported here: it is not taken.")
    former = Keyset.objects.filter(state=Keyset.State.ACTIVE).first()
    if former is not None and former.activated_at is not None and told.activated <= former.activated_at:
        raise Replayed("A keyset that was activated no earlier than this one is in force here.")
    return former


def take_within(text: str, *, request: UUID, now: datetime) -> Keyset:
    """Take the keyset that an approved request names, and its Enterprise Manager; as the worker.

    Raises as `read` and `check` do.
    """
    found = read(text)
    told = found.told
    held = LossProtection.objects.select_for_update().filter(pk=1).first()
    check(told, now)
    if held is not None and held.trusted_key is None:
        held.trusted_enterprise, held.trusted_key = told.enterprise, told.enterprise_key
        held.save(update_fields=["trusted_enterprise", "trusted_key"])
    Keyset.objects.filter(state=Keyset.State.ACTIVE).update(state=Keyset.State.RETIRED)
    keyset, _ = Keyset.objects.update_or_create(
        pk=told.keyset,
        defaults={
            "suite": told.suite,
            "public": told.public,
            "description": told.description,
            "state": Keyset.State.ACTIVE,
            "own": False,
            "enterprise": told.enterprise,
            "announcement": found.envelope,
            "request": request,
            "activated_at": told.activated,
            "expires_at": told.expires,
        },
    )
    keysets.guard_within(keyset, now)
    facts = {"enterprise": told.enterprise, "fingerprint": found.fingerprint}
    audit.record(Event.KEYSET_TAKEN, subject=keyset, facts=facts)
    return keyset
