"""Named reads about people that doors and other apps share."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import QuerySet
from django.utils import timezone

from accounts import rules
from accounts.models import (
    EnrolmentLink,
    Person,
    Role,
    RoleGrant,
    Roster,
    SecurityMember,
    SecurityRole,
    Title,
    User,
)
from accounts.rules import Standing

# P3: below two seats nobody is left to be the second pair of eyes.
SEATS = 2
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
_PRECEDENCE = (Role.ADMINISTRATOR, Role.ENTERPRISE, Role.OPERATOR, Role.AUDITOR, Role.SERVICE)


def standing(user: User, now: datetime | None = None) -> Standing:
    """Return who an account is at a moment."""
    return user.facts(now)


def security_members(active: bool = True) -> QuerySet[SecurityMember]:
    """Return the live seats; `active` leaves out the suspended ones and those of inactive accounts."""
    seats = SecurityMember.objects.filter(until=None).select_related("user", "person").order_by("since", "id")
    if not active:
        return seats
    return seats.filter(user__is_active=True, user__is_human=True).exclude(SecurityMember.suspended_now())


def active_seats() -> int:
    """Return how many persons sit in Security, active and not suspended."""
    return security_members().values("person_id").distinct().order_by().count()


def administrators() -> QuerySet[User]:
    """Return the active human accounts that hold the office of Backup administrator."""
    return holders(Role.ADMINISTRATOR)


def persons_named(names: Iterable[str], *, before: datetime) -> dict[str, Person]:
    """Return who is meant by names, casefolded, among those who had an account here before a moment.

    A name that two of them bear means nobody: whoever may make accounts could make a namesake.
    """
    wanted = {name.casefold() for name in names}
    found: dict[str, list[Person]] = defaultdict(list)
    with_account = User.objects.filter(is_active=True, is_human=True).values("person")
    for person in Person.objects.filter(pk__in=with_account, created_at__lt=before):
        if person.name.casefold() in wanted:
            found[person.name.casefold()].append(person)
    return {name: persons[0] for name, persons in found.items() if len(persons) == 1}


def holders(*roles: Role) -> QuerySet[User]:
    """Return the active human accounts that hold one of these offices."""
    granted = RoleGrant.live().filter(role__in=roles).values("user_id")
    return User.objects.filter(pk__in=granted, is_active=True, is_human=True).select_related("person")


def can_decide_people(
    *,
    excluded: Collection[UUID],
    administrators_may: bool,
    before: datetime,
    named: Collection[UUID] | None = None,
) -> list[User]:
    """Return who could decide a request: one account a person, Security first.

    `excluded` names the persons who count as askers; who joined after `before` does not decide (P6). Of the
    administrators only those `named` decide, if it is not None.
    """
    seats = [seat.user for seat in security_members() if seat.since <= before]
    offices: list[User] = []
    if administrators_may:
        since = RoleGrant.live().filter(role=Role.ADMINISTRATOR, since__lte=before).values("user_id")
        able = administrators().filter(pk__in=since)
        offices = list(able if named is None else able.filter(pk__in=named))
    first: dict[UUID, User] = {}
    for user in (*seats, *offices):
        if user.person_id not in excluded:
            first.setdefault(user.person_id, user)
    return list(first.values())


def makers_of(user: UUID) -> frozenset[UUID]:
    """Return the persons who made an account or handed out a link to it.

    Each of them may have opened its first link alone, so what the account asks, they may have asked (P1).
    """
    made = User.objects.filter(pk=user, created_by__isnull=False).values_list("created_by__person", flat=True)
    links = EnrolmentLink.objects.filter(user=user, issued_by__isnull=False)
    return frozenset(made) | frozenset(links.values_list("issued_by__person", flat=True))


def made_by(persons: Collection[UUID], makers: Collection[UUID]) -> frozenset[tuple[UUID, UUID]]:
    """Return person and maker, wherever one of the makers made an account of one, or handed out a link to it.

    That may be the maker under another name (P1), save who sits in Security: a decided request seated them.
    """
    seated = SecurityMember.objects.filter(until=None).values("person")
    users = User.objects.filter(person__in=persons).exclude(person__in=seated).order_by()
    found: set[tuple[UUID, UUID]] = set()
    for way in ("created_by__person", "enrolment_links__issued_by__person"):
        found.update(users.filter(**{f"{way}__in": makers}).values_list("person", way))
    return frozenset(found)


def is_suspended(user: User) -> bool:
    """Say whether an account's seat in Security is suspended: then it signs in nowhere (P3)."""
    seats = SecurityMember.objects.filter(SecurityMember.suspended_now(), user_id=user.pk, until=None)
    return seats.exists()


def newest_roster() -> Roster | None:
    """Return the roster in force; None before the Security Role is sealed."""
    return Roster.objects.order_by("-number").first()


def sealed_at() -> datetime | None:
    """Return when the Security Role was sealed."""
    return SecurityRole.objects.filter(pk=1).values_list("sealed_at", flat=True).first()


def is_bootstrapped() -> bool:
    """Say whether bootstrap has named its people; until then the sign-in page names the command."""
    return sealed_at() is not None or EnrolmentLink.objects.filter(seat=EnrolmentLink.For.FOUNDER).exists()


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One account in a list of people."""

    user: User
    roles: tuple[str, ...]
    # The title of the live seat, suspended or not; None for who holds none.
    security: str | None
    factors: tuple[str, ...]


def person_lines(users: Iterable[User]) -> list[PersonLine]:
    """Return what belongs to these accounts, in their order, by three reads however many they are."""
    rows = list(users)
    ids = [user.pk for user in rows]
    roles, factors = defaultdict(set), defaultdict(set)
    for user, role in RoleGrant.live().filter(user__in=ids).values_list("user", "role"):
        roles[user].add(role)
    enrolled = Authenticator.objects.filter(user__in=ids, type__in=FACTORS)
    for user, kind in enrolled.values_list("user", "type"):
        factors[user].add(kind)
    seats = dict(SecurityMember.objects.filter(user__in=ids, until=None).values_list("user", "title"))
    return [
        PersonLine(user, tuple(sorted(roles[user.pk])), seats.get(user.pk), tuple(sorted(factors[user.pk])))
        for user in rows
    ]


def user_label(user: User) -> str:
    """Return how a person is named beside what they did: "Dora Marchetti · Security · DPO"."""
    facts = user.facts()
    if facts.security_title is not None:
        office = Title(facts.security_title)
        return " · ".join([user.person.name, "Security", *([] if office == Title.OTHER else [office.label])])
    held = next((role for role in _PRECEDENCE if role in facts.roles), None)
    return f"{user.person.name} · {held.label}" if held else user.person.name


def has_factor(user: User) -> bool:
    """Say whether an account has a second factor; recovery codes alone are none."""
    return bool(Authenticator.objects.filter(user_id=user.pk, type__in=FACTORS).exists())


def is_founding(user: User) -> bool:
    """Say whether bootstrap named this account for a seat or for the administrator's office."""
    seats = (EnrolmentLink.For.FOUNDER, EnrolmentLink.For.ADMINISTRATOR)
    return EnrolmentLink.objects.filter(user_id=user.pk, seat__in=seats).exists()


def must_enrol(user: User, standing: Standing) -> bool:
    """Say whether an account of this standing must set up a second factor before it goes on."""
    return rules.must_enrol(standing, has_factor=has_factor(user), founding=is_founding(user))


def token_digest(token: str) -> bytes:
    """Return what is kept of a link's token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def enrolment(token: str, now: datetime | None = None) -> EnrolmentLink | None:
    """Return the link of a token that is still good, or None; which reason is not told."""
    links = EnrolmentLink.objects.select_related("user__person")
    return links.filter(
        token_hash=token_digest(token),
        used_at=None,
        expires_at__gt=now or timezone.now(),
        user__is_active=True,
    ).first()
