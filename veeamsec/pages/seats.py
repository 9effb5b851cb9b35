"""The seats of Security as pages show them: who, with which proof, how stopped, and how much room is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.urls import reverse

from accounts import selectors
from accounts.errors import RosterInvalid
from accounts.models import SecurityMember, Suspension, SuspensionVoice, Title, User
from accounts.roster import RosterBody
from accounts.services import stepup
from accounts.services.security_role import roster_in_force
from approvals import selectors as approvals
from approvals.services import policies
from audit.errors import KeyUnavailable
from veeamsec.pages import words
from veeamsec.pages.rulebook import OFFICES
from veeamsec.pages.signs import QUIET, REFUSE, WAIT, Sign


@dataclass(frozen=True, slots=True)
class Seat:
    """One seat in a list."""

    id: UUID
    url: str
    name: str
    title: str
    since: datetime
    factors: str
    signs: bool
    sign: Sign | None


@dataclass(frozen=True, slots=True)
class Passkeys:
    """How the passkeys of an account stand to the roster in force."""

    on_roster: int
    others: int
    has_app: bool

    def __str__(self) -> str:
        parts = []
        if self.on_roster:
            parts.append(f"{words.count(self.on_roster, 'passkey')} on the roster")
        if self.others:
            parts.append(f"{words.count(self.others, 'passkey')} not on the roster")
        if self.has_app:
            parts.append("authenticator app")
        return ", ".join(parts) or "no second factor yet"


def roster() -> RosterBody | None:
    """The roster in force, verified; None where there is none that verifies."""
    try:
        return roster_in_force()
    except (RosterInvalid, KeyUnavailable):
        return None


def passkeys_of(user: User, body: RosterBody | None) -> Passkeys:
    """Count an account's passkeys by the roster."""
    own = set(stepup.passkeys(user))
    entry = body.entry(user.pk) if body else None
    known = {key.id for key in entry.credentials} if entry and entry.person == user.person_id else set()
    app = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()
    return Passkeys(len(own & known), len(own - known), app)


def all_seats() -> list[Seat]:
    """The live seats."""
    body = roster()
    return [_seat(row, body) for row in selectors.security_members(active=False)]


def _seat(row: SecurityMember, body: RosterBody | None) -> Seat:
    proof = passkeys_of(row.user, body)
    return Seat(
        id=row.pk,
        url=reverse("seat", args=[row.pk]),
        name=row.person.name,
        title=Title(row.title).label,
        since=row.since,
        factors=str(proof),
        signs=proof.on_roster > 0,
        sign=sign_of(row),
    )


def sign_of(row: SecurityMember) -> Sign | None:
    """What stops a seat, if anything does."""
    if row.is_suspended():
        return Sign(WAIT, "Suspended" if row.suspended_until else "Suspended, confirmed")
    return None if row.user.is_active else Sign(REFUSE, "Account not active")


def headroom() -> Sign:
    """How many more seats are active than are needed."""
    room = approvals.headroom()
    if room.spare < 0:
        return Sign(REFUSE, f"{room.active} of {room.needed}: nothing can be decided")
    if room.spare == 0:
        return Sign(WAIT, f"{words.count(room.active, 'active seat')}, none to spare")
    return Sign(QUIET, f"{words.count(room.active, 'active seat')}, {room.spare} more than needed")


def limits() -> list[str]:
    """Whose absence would stop what, by the seats and the rules in force."""
    room, found = approvals.headroom(), []
    if room.spare < 0:
        return [f"Nothing can be decided with fewer than {room.needed} active seats: fill one."]
    if room.spare == 0:
        found.append("One absence stops you: no active seat is to spare. Seat another member.")
    titles = [seat.title for seat in selectors.security_members()]
    for policy in policies.all_in_force():
        able = [title for title in titles if title not in policy.advising_titles]
        found += _short(policy.pools, able, f" in {policy.scope.name}" if policy.scope else "")
    return list(dict.fromkeys(found))


def _short(pools: Sequence[dict[str, Any]], able: Sequence[str], where: str) -> list[str]:
    return [
        f"One absence stops you{where}: the rules need {pool['count']} {OFFICES[pool['title']]}, and there"
        f" {'is' if able.count(pool['title']) == 1 else 'are'} {able.count(pool['title'])}."
        for pool in pools
        if able.count(pool["title"]) <= pool["count"]
    ]


@dataclass(frozen=True, slots=True)
class Stop:
    """A suspension in words: who stopped whom, why, until when, and who said what since."""

    by: str
    reason: str
    at: datetime
    until: datetime | None
    voices: tuple[tuple[str, str, datetime], ...]


def stop_of(row: SecurityMember) -> Stop | None:
    """The suspension in force of a seat."""
    found = Suspension.open().filter(member=row).select_related("suspender__person").first()
    if found is None:
        return None
    voices = found.voices.select_related("seat__person").order_by("at")
    said = tuple(
        (voice.seat.person.name, SuspensionVoice.Says(voice.says).label.lower(), voice.at) for voice in voices
    )
    return Stop(found.suspender.person.name, found.reason, found.began_at, found.ends_at, said)
