"""Persons, accounts, roles that the console hands out, one-time links and tokens.

Nobody chooses another's password (P14): a new account gets a link on which its person sets their own.
"""

import secrets
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from accounts import rules
from accounts.errors import Invalid, NotEligible, StepUpRequired
from accounts.models import ApiToken, EnrolmentLink, Notice, Person, Role, RoleGrant, SecurityMember, User
from accounts.selectors import token_digest
from accounts.services import notices
from audit import services as audit
from audit.events import Event

LINK_HOURS = 24
TOKEN_DAYS_LIMIT = 366
TOKEN_SCOPES = frozenset({"api", "metrics"})
# More is not a password but a load on the hasher.
PASSWORD_LIMIT = 1024


def create_person(*, name: str, email: str = "", by: User) -> Person:
    """Add a person; Invalid for an empty name or an address that is none."""
    with audit.act(by=by, subject="person"):
        _check_people(by)
        return create_person_within(name=name, email=email, by=by)


def create_person_within(*, name: str, email: str, by: audit.Actor) -> Person:
    """Add a person in the caller's transaction."""
    _assert_open()
    name = " ".join(name.split())
    if not name:
        raise Invalid("A person needs a name.")
    if email:
        try:
            validate_email(email)
        except ValidationError as error:
            raise Invalid("This is no e-mail address.") from error
    person = Person.objects.create(name=name, email=email)
    audit.record(Event.PERSON_CREATED, subject=person, names={str(person.pk): name}, by=by)
    return person


def create_user(
    *, person: UUID, username: str, role: Role, by: User, email: str = ""
) -> tuple[User, str | None]:
    """Make an account for a person with one role of the console; return it with its one-time link.

    A service account has no link: it gets tokens. NotEligible for a role that a request decides.
    """
    with audit.act(by=by, subject="user"):
        _check_people(by)
        if role not in rules.CONSOLE_ROLES:
            raise NotEligible("This role is granted by a request that Security decides.")
        owner = Person.objects.get(pk=person)
        _check_owner(owner, role, by)
        user = create_user_within(person=owner, username=username, email=email, role=role, by=by)
        link = make_link_within(user, EnrolmentLink.For.USER, by=by) if user.is_human else None
    return user, link


def create_user_within(
    *, person: Person, username: str, email: str, role: Role | None, by: audit.Actor
) -> User:
    """Make an account without a password, in the caller's transaction; `role` None for Security."""
    _assert_open()
    username = User.normalize_username(username.strip())
    user = User(
        person=person,
        username=username,
        email=email or person.email,
        is_human=role != Role.SERVICE,
        is_staff=role in rules.STAFF_ROLES,
        created_by=_who(by),
    )
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise Invalid(" ".join(error.messages)) from error
    seated = SecurityMember.objects.filter(person=person, until=None).exists()
    if role and rules.conflict(has_seat=seated, roles=[role]):
        raise NotEligible("Who holds a seat of the Security Role takes no role of the backup team.")
    user.save(force_insert=True)
    audit.record(Event.USER_CREATED, subject=user, names={str(user.pk): username}, by=by)
    if role:
        RoleGrant.objects.create(user=user, role=role)
        audit.record(Event.ROLE_GRANTED, subject=user, facts={"role": str(role)}, by=by)
    return user


def make_link_within(user: User, seat: EnrolmentLink.For, *, by: audit.Actor, title: str = "") -> str:
    """Make a one-time link in the caller's transaction; its address is returned once and kept nowhere."""
    _assert_open()
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    # The newest link is the only one that is good.
    EnrolmentLink.objects.filter(user=user, used_at=None, expires_at__gt=now).update(expires_at=now)
    expires = now + timedelta(hours=LINK_HOURS)
    EnrolmentLink.objects.create(
        token_hash=token_digest(token),
        seat=seat,
        user=user,
        title=title,
        expires_at=expires,
        issued_by=_who(by),
    )
    audit.record(Event.ENROLMENT_LINK_MADE, subject=user, facts={"for": str(seat)}, by=by)
    return f"{settings.VEEAMSEC_ORIGIN}/start/{token}/"


def new_link(user: UUID, *, by: User) -> str:
    """Make another first link for an account without a password; one that has is helped by a request."""
    with audit.act(by=by, subject=user):
        _check_people(by)
        account = User.objects.select_for_update().get(pk=user)
        _check_unguarded(account)
        enrolled = EnrolmentLink.objects.filter(user=account, used_at__isnull=False).exists()
        known = account.has_usable_password() or enrolled or account.last_login is not None
        if known or not account.is_human:
            raise NotEligible("This account has its own credentials; only a decided request resets them.")
        return make_link_within(account, EnrolmentLink.For.USER, by=by)


def send_link(user_id: UUID) -> None:
    """As the worker: mail a first link to an account without a password; nobody else ever sees it.

    It goes to the account's own address, which a decided reset named (P14), and never to its person's, which
    an administrator edits. Asked again after a failure it makes another one: a link is kept nowhere.
    """
    with audit.act(by=audit.WORKER, subject=user_id):
        account = User.objects.filter(pk=user_id, is_active=True).first()
        if account is None or account.has_usable_password() or not account.is_human or not account.email:
            raise NotEligible("This account does not wait for a first link.")
        link = make_link_within(account, EnrolmentLink.For.USER, by=audit.WORKER)
    notices.mail(
        account.email, "Set your password", f"This link works once, for {LINK_HOURS} hours:\n{link}\n"
    )


def set_active(user: UUID, *, active: bool, by: User) -> User:
    """Switch an account on or off; those of Security and administrators change by a request (P14)."""
    with audit.act(by=by, subject=user):
        _check_people(by)
        account = User.objects.select_for_update(of=("self",)).select_related("person").get(pk=user)
        _check_unguarded(account)
        if account.is_active != active:
            account.is_active = active
            account.save(update_fields=["is_active"])
            if active:
                audit.record(Event.USER_CHANGED, subject=account, facts={"active": True})
            else:
                audit.record(Event.USER_DEACTIVATED, subject=account)
    return account


def set_own_password(*, by: User, current: str, new: str) -> None:
    """Change one's own password; the caller's second factor was asked by the door before.

    Raises StepUpRequired for a wrong current password, Invalid for a weak new one.
    """
    check_new_password(new, by)
    with audit.attempt(by=by, subject=by.pk) as attempt:
        if len(current) > PASSWORD_LIMIT or not by.check_password(current):
            raise StepUpRequired("That password is not right.")
        by.set_password(new)
        with attempt.act():
            by.save(update_fields=["password"])
            audit.record(Event.OWN_PASSWORD_CHANGED, subject=by)
            notices.tell_within([by.pk], Notice.What.PASSWORD_CHANGED)


def check_new_password(password: str, user: User) -> None:
    """Refuse a weak account password with every reason in one text."""
    if len(password) > PASSWORD_LIMIT:
        raise Invalid(f"A password has at most {PASSWORD_LIMIT} characters.")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages)) from error


def create_token(*, user: User, name: str, days: int, scopes: list[str], by: audit.Actor) -> str:
    """Make a bearer token for an account and return it, once; the database keeps its hash."""
    if not 1 <= days <= TOKEN_DAYS_LIMIT:
        raise Invalid(f"A token lives between 1 and {TOKEN_DAYS_LIMIT} days.")
    if not scopes or not set(scopes) <= TOKEN_SCOPES:
        raise Invalid(f"Scopes are {', '.join(sorted(TOKEN_SCOPES))}.")
    if not name.strip() or len(name) > 80:
        raise Invalid("A token needs a name of at most 80 characters.")
    with audit.act(by=by, subject=user.pk):
        if user.is_superuser or not user.is_active:
            raise NotEligible("This account gets no token.")
        _, token = ApiToken.objects.create(  # type: ignore[no-untyped-call]
            user=user, expiry=timedelta(days=days), name=name.strip(), scopes=sorted(set(scopes))
        )
        facts = {"days": days, "scopes": sorted(set(scopes))}
        audit.record(Event.TOKEN_CREATED, subject=user, facts=facts, by=by)
    return str(token)


def _who(by: audit.Actor) -> User | None:
    return by if isinstance(by, User) else None


def _check_people(by: User) -> None:
    # By the roles alone: has_perm lets every superuser pass.
    if "accounts.add_user" not in rules.permissions(by.facts()):
        raise NotEligible("Only a Backup administrator keeps the people.")


def _check_owner(person: Person, role: Role, by: User) -> None:
    """Whoever opens a link becomes its person: so none is made for a person who is somebody already (P14)."""
    if role != Role.SERVICE and person.users.filter(is_human=True).exists():
        raise NotEligible("This person has an account already; another one would let you act as them.")
    if person.pk != by.person_id and is_guarded(person.pk):
        raise NotEligible("Accounts of Security and of administrators are made by a decided request alone.")


def is_guarded(person: UUID) -> bool:
    """Say whether a person sits in Security or administers, on whichever account."""
    accounts = User.objects.filter(person_id=person)
    decided = RoleGrant.live().filter(user__in=accounts, role__in=rules.DECIDED_ROLES)
    founding = EnrolmentLink.objects.filter(user__in=accounts).exclude(seat=EnrolmentLink.For.USER)
    seats = SecurityMember.objects.filter(person_id=person, until=None)
    return decided.exists() or founding.exists() or seats.exists()


def _check_unguarded(user: User) -> None:
    if user.is_superuser or is_guarded(user.person_id):
        raise NotEligible("Accounts of Security and of administrators change by a decided request alone.")


def _assert_open() -> None:
    if not connection.in_atomic_block:
        raise TransactionManagementError("a step of a use case needs the transaction of its caller")
