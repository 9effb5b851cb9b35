"""The next roster: what the worker signs when somebody joins, leaves or brings a further passkey."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from accounts import roster
from accounts.models import Roster, SecurityRole
from accounts.roster import RosterBody
from accounts.services.security_role import SUBJECT, roster_in_force
from audit import keys
from audit import services as audit
from audit.events import Event


@dataclass(frozen=True, slots=True)
class Signer:
    """The worker's key, read before the transaction."""

    key: Ed25519PrivateKey
    keyid: str


def signer() -> Signer:
    """Return the worker's key; raises for any other process, which has none."""
    return Signer(keys.signing_key(), keys.signing_keyid())


def sign_next_within(
    change: Callable[[RosterBody], RosterBody], by: Signer, *, request: UUID | None = None
) -> Roster:
    """Sign the roster that follows the one in force, in the caller's transaction, under the role's lock.

    RosterInvalid when the one in force is forged, or when the next one would not be sound.
    """
    SecurityRole.objects.select_for_update().get(pk=1)
    former = roster_in_force()
    body = replace(
        change(former),
        number=former.number + 1,
        previous=roster.digest(roster.build(former)),
        request=request,
        time=timezone.now().replace(microsecond=0),
    )
    payload = roster.build(body)
    made = Roster.objects.create(
        number=body.number, body=payload, envelope=roster.sign(payload, by.key, by.keyid)
    )
    facts = {"number": body.number, "sha256": roster.digest(payload), "request": request}
    audit.record(Event.ROSTER_SIGNED, subject=SUBJECT, facts=facts)
    return made
