"""People for tests, written straight into the tables: accounts, roles, seats, a sealed Security Role."""

import itertools
import os
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.utils import timezone

from accounts.models import EnrolmentLink, Person, Role, RoleGrant, SecurityMember, SecurityRole, Title, User
from accounts.services import factors

PASSWORD = "correct horse battery staple 7"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
_numbers = itertools.count(1)


def make_person(name: str | None = None) -> Person:
    """A new person."""
    number = next(_numbers)
    return Person.objects.create(name=name or f"Person {number}", email=f"person{number}@example.com")


def make_user(
    name: str | None = None, *, role: Role | None = None, person: Person | None = None, **fields: object
) -> User:
    """A new account, of a new person unless one is given, with a role if one is given."""
    username = name or f"user{next(_numbers)}"
    fields.setdefault("is_human", role != Role.SERVICE)
    user = User(username=username, person=person or make_person(username.title()), **fields)
    user.set_password(PASSWORD)
    user.save()
    if role:
        RoleGrant.objects.create(user=user, role=role)
    return user


def handed_a_link(user: User, *, by: User) -> None:
    """A first link to an account, over by now, that somebody handed out and may have opened alone."""
    EnrolmentLink.objects.create(
        token_hash=os.urandom(32),
        seat=EnrolmentLink.For.USER,
        user=user,
        expires_at=timezone.now(),
        issued_by=by,
    )


def seat(user: User, title: Title = Title.OTHER, since: datetime | None = None) -> SecurityMember:
    """A seat of the Security Role."""
    return SecurityMember.objects.create(
        user=user, person_id=user.person_id, title=title, since=since or timezone.now()
    )


def make_security(names: tuple[str, ...] = ("dora", "carl"), *, since: datetime | None = None) -> list[User]:
    """A sealed Security Role: DPO, CISO, then further members."""
    titles = itertools.chain((Title.DPO, Title.CISO), itertools.repeat(Title.OTHER))
    members = [make_user(name) for name in names]
    for user, title in zip(members, titles, strict=False):
        seat(user, title, since)
    SecurityRole.objects.filter(pk=1, sealed_at=None).update(sealed_at=since or timezone.now())
    return members


def add_totp(user: User, secret: str = TOTP_SECRET) -> Authenticator:
    """An authenticator app for an account."""
    return Authenticator.objects.create(
        user=user, type=Authenticator.Type.TOTP, data={"secret": factors.encrypt(secret)}
    )
