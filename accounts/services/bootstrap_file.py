"""People and accounts from one file, for the demo and for tests: the only place where a password is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts import selectors
from accounts.errors import Invalid
from accounts.models import EnrolmentLink, Person, Role, Title
from accounts.rules import EXCLUDED_BY_SECURITY
from accounts.services import factors, security_role, users
from audit import services as audit

SECURITY, SUPERUSER = "security", "superuser"
BASE32 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567=")
ROLES = frozenset({*Role.values, SECURITY, SUPERUSER})


@dataclass(frozen=True, slots=True)
class Account:
    """One account of the file, checked."""

    username: str
    person: str
    role: str
    title: str
    password_hash: str
    totp_secret: str | None


def load(content: Mapping[str, Any]) -> int:
    """Make everything that a file names and ask the worker to seal the role; return how many accounts.

    `content`: {people: [{name, email}], users: [{username, person, role, title?, password, totp_secret?}]}.
    Invalid for a file that is none or seats one person twice; AlreadySealed when bootstrap was done.
    """
    people, accounts = _read(content)
    with audit.act(by=audit.CONSOLE, subject=security_role.SUBJECT):
        security_role.check_new_within()
        persons = {
            name: users.create_person_within(name=name, email=email, by=audit.CONSOLE)
            for name, email in people.items()
        }
        for account in accounts:
            _make_within(account, persons[account.person])
        security_role.ring_when_ready_within()
    return len(accounts)


def _read(content: Mapping[str, Any]) -> tuple[dict[str, str], list[Account]]:
    try:
        people = {str(who["name"]): str(who.get("email", "")) for who in content["people"]}
        accounts = [_account(fields) for fields in content["users"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise Invalid("A file has `people` (name) and `users` (username, person, role, password).") from error
    if len(people) != len(content["people"]) or not {account.person for account in accounts} <= people.keys():
        raise Invalid("Each person stands once in `people`, and each account names one of them.")
    founders = [account.person for account in accounts if account.role == SECURITY]
    if len(set(founders)) != len(founders) or len(founders) < selectors.SEATS:
        raise Invalid("The Security Role begins with at least two different persons, one account each.")
    if any(account.person in founders and account.role in EXCLUDED_BY_SECURITY for account in accounts):
        raise Invalid("Who sits in Security holds no role of the backup team.")
    return people, accounts


def _account(fields: Mapping[str, Any]) -> Account:
    if fields["role"] not in ROLES:
        raise Invalid("Roles are " + ", ".join(sorted(ROLES)) + ".")
    title = str(fields.get("title") or Title.OTHER).casefold()
    if fields["role"] == SECURITY and title not in Title.values:
        title = Title.OTHER
    secret = fields.get("totp_secret") or None
    if secret is not None and not set(str(secret).upper()) <= BASE32:
        raise Invalid("A TOTP secret is base32 text.")
    password = None if fields["role"] == Role.SERVICE else fields.get("password")
    if not password and fields["role"] != Role.SERVICE:
        raise Invalid("Every account but a service account has a password.")
    return Account(
        username=str(fields["username"]),
        person=str(fields["person"]),
        role=str(fields["role"]),
        title=title if fields["role"] == SECURITY else "",
        # Hashed before the transaction: it takes its time.
        password_hash=make_password(str(password) if password else None),
        totp_secret=str(secret) if secret else None,
    )


def _make_within(account: Account, person: Person) -> None:
    role = Role(account.role) if account.role in Role.values else None
    user = users.create_user_within(
        person=person, username=account.username, email=person.email, role=role, by=audit.CONSOLE
    )
    user.password = account.password_hash
    user.is_superuser = account.role == SUPERUSER
    user.is_staff = user.is_staff or user.is_superuser
    user.save(update_fields=["password", "is_superuser", "is_staff"])
    if account.role in (SECURITY, Role.ADMINISTRATOR):
        seat = EnrolmentLink.For.FOUNDER if account.role == SECURITY else EnrolmentLink.For.ADMINISTRATOR
        users.make_link_within(user, seat, by=audit.CONSOLE, title=account.title)
        EnrolmentLink.objects.filter(user=user, used_at=None).update(used_at=timezone.now())
    if account.totp_secret:
        secret = factors.encrypt(account.totp_secret)
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": secret})
        RecoveryCodes.activate(user)
