"""How the Security Role begins: named once, enrolled by its people, sealed once with the signed roster 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import slugify

from accounts import roster, selectors
from accounts.errors import AlreadySealed, Invalid, LinkInvalid, RosterInvalid
from accounts.models import EnrolmentLink, Role, Roster, SecurityMember, SecurityRole, Title, User
from accounts.services import stepup, users
from audit import keys, queue
from audit import services as audit
from audit.events import Event
from audit.queue import Task

SUBJECT = "security-role"
# The outbox wants an id: the role is one row, and so is its task.
SEAL = UUID("5ec00000-0000-4000-8000-000000000001")


@dataclass(frozen=True, slots=True)
class Named:
    """One person whom bootstrap names."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Link:
    """The one-time address that one person opens."""

    name: str
    office: str
    url: str


def bootstrap(*, dpo: Named, ciso: Named, administrator: Named) -> list[Link]:
    """Name two founders and the first Backup administrator; return their one-time links, shown once.

    AlreadySealed when it was done; Invalid unless they are three different persons.
    """
    named = (dpo, ciso, administrator)
    _check_different(named)
    offices = (
        (dpo, EnrolmentLink.For.FOUNDER, Title.DPO),
        (ciso, EnrolmentLink.For.FOUNDER, Title.CISO),
        (administrator, EnrolmentLink.For.ADMINISTRATOR, ""),
    )
    with audit.act(by=audit.CONSOLE, subject=SUBJECT):
        check_new_within()
        return [_name_within(who, seat, title) for who, seat, title in offices]


def renew_links() -> list[Link]:
    """Make new links for those of bootstrap who have not used theirs; the old ones are over.

    Once the role is sealed, only the administrator can be waiting still.
    """
    with audit.act(by=audit.CONSOLE, subject=SUBJECT):
        sealed = SecurityRole.objects.select_for_update().get(pk=1).sealed_at is not None
        waiting = EnrolmentLink.objects.exclude(seat=EnrolmentLink.For.USER).filter(
            user__in=User.objects.filter(password__startswith=UNUSABLE_PASSWORD_PREFIX, is_active=True)
        )
        if sealed:
            waiting = waiting.filter(seat=EnrolmentLink.For.ADMINISTRATOR)
        newest = waiting.order_by("user_id", "-expires_at").distinct("user_id").select_related("user__person")
        return [_link_within(old.user, EnrolmentLink.For(old.seat), old.title) for old in newest]


def enrol(token: str, *, password: str, username: str = "", address: str = "") -> User:
    """Use a one-time link: its person sets their own password, and another sign-in name if they like.

    Returns the account, whose second factor comes next. LinkInvalid for a link that is not good, Invalid for
    what was typed.
    """
    found = selectors.enrolment(token)
    by, subject = (found.user, found.user) if found else (None, "link")
    with audit.attempt(by=by, subject=subject, address=address) as attempt:
        if found is None:
            raise LinkInvalid("This link is not valid. Ask for a new one.")
        users.check_new_password(password, found.user)
        draft = User()
        draft.set_password(password)
        with attempt.act():
            link = EnrolmentLink.objects.select_for_update().get(pk=found.pk)
            if link.used_at is not None or link.expires_at <= timezone.now():
                raise LinkInvalid("This link is not valid. Ask for a new one.")
            user = User.objects.select_for_update(of=("self",)).select_related("person").get(pk=link.user_id)
            user.password = draft.password
            _rename(user, username)
            user.save(update_fields=["password", "username"])
            link.used_at = timezone.now()
            link.save(update_fields=["used_at"])
            audit.record(Event.ENROLMENT_FINISHED, subject=user, facts={"for": link.seat}, by=user)
            ring_when_ready_within()
    return user


def ring_when_ready_within() -> None:
    """Ask the worker to seal the role, once two founders have a password and a factor."""
    if selectors.sealed_at() is None and len(_enrolled()) >= selectors.SEATS:
        queue.ring(Task.SIGN_ROSTER, SEAL)


def sign_roster() -> Roster | None:
    """Sign roster 1, seat the founders and seal the role: all three in one transaction, by the worker, once.

    Returns None when it is not time: sealed already, or a founder is not enrolled yet.
    """
    key, keyid = keys.signing_key(), keys.signing_keyid()
    with audit.act(by=audit.WORKER, subject=SUBJECT):
        role = SecurityRole.objects.select_for_update().get(pk=1)
        if role.sealed_at is not None:
            return None
        if Roster.objects.exists():
            raise RosterInvalid(
                "There is a roster before the Security Role was sealed: somebody else made it."
            )
        if len(_enrolled()) < selectors.SEATS:
            return None
        now = timezone.now().replace(microsecond=0)
        founders = _founders()
        body = roster.RosterBody(
            number=1,
            time=now,
            security=tuple(_entry(link.user, now, link.title) for link in founders),
            administrators=tuple(_entry(user, now) for user in selectors.administrators()),
        )
        payload = roster.build(body)
        made = Roster.objects.create(number=1, body=payload, envelope=roster.sign(payload, key, keyid))
        for link in founders:
            SecurityMember.objects.create(
                user=link.user, person_id=link.user.person_id, title=link.title or Title.OTHER, since=now
            )
        role.sealed_at = now
        role.save(update_fields=["sealed_at"])
        audit.record(
            Event.ROSTER_SIGNED, subject=SUBJECT, facts={"number": 1, "sha256": roster.digest(payload)}
        )
        audit.record(Event.SECURITY_ROLE_SEALED, subject=SUBJECT, facts={"seats": len(founders)})
    return made


def roster_in_force() -> roster.RosterBody:
    """Return what the newest roster says, verified; RosterInvalid for a forged one or none.

    A roster after the first must name the one before it by digest.
    """
    newest = selectors.newest_roster()
    if newest is None:
        raise RosterInvalid("There is no roster: the Security Role is not sealed.")
    body = roster.open_roster(newest.envelope, keys.signing_public())
    if body.number != newest.number or roster.build(body) != bytes(newest.body):
        raise RosterInvalid("The stored roster is not the signed one.")
    if body.previous is not None:
        before = Roster.objects.get(number=body.number - 1)
        if roster.digest(bytes(before.body)) != body.previous:
            raise RosterInvalid("The roster does not follow the one before it.")
    return body


def check_new_within() -> None:
    """Refuse a second bootstrap, under the role's lock."""
    if SecurityRole.objects.select_for_update().get(pk=1).sealed_at is not None:
        raise AlreadySealed("The Security Role is sealed; bootstrap runs once.")
    if selectors.is_bootstrapped():
        raise AlreadySealed("Bootstrap was begun already; `bootstrap --renew` makes new links.")


def _check_different(named: Sequence[Named]) -> None:
    for key in (lambda who: " ".join(who.name.split()).casefold(), lambda who: who.email.strip().casefold()):
        if len({key(who) for who in named}) != len(named):
            raise Invalid(
                "DPO, CISO and administrator are three different persons, each with their own address."
            )


def _name_within(who: Named, seat: EnrolmentLink.For, title: str) -> Link:
    person = users.create_person_within(name=who.name, email=who.email, by=audit.CONSOLE)
    role = Role.ADMINISTRATOR if seat == EnrolmentLink.For.ADMINISTRATOR else None
    user = users.create_user_within(
        person=person, username=_free_username(who), email=who.email, role=role, by=audit.CONSOLE
    )
    return _link_within(user, seat, title)


def _link_within(user: User, seat: EnrolmentLink.For, title: str) -> Link:
    url = users.make_link_within(user, seat, by=audit.CONSOLE, title=title)
    return Link(user.person.name, Title(title).label if title else seat.label, url)


def _free_username(who: Named) -> str:
    base = slugify(who.email.partition("@")[0].replace(".", "-")) or slugify(who.name) or "person"
    taken = set(User.objects.filter(username__startswith=base).values_list("username", flat=True))
    return next(name for name in (base, *(f"{base}-{n}" for n in range(2, 100))) if name not in taken)


def _rename(user: User, username: str) -> None:
    wanted = User.normalize_username(username.strip())
    if not wanted or wanted == user.username:
        return
    user.username = wanted
    try:
        user.clean_fields(exclude=["password", "email"])
    except ValidationError as error:
        raise Invalid(" ".join(error.messages)) from error
    if User.objects.filter(username__iexact=wanted).exclude(pk=user.pk).exists():
        raise Invalid("This name is taken.")


def _founders() -> list[EnrolmentLink]:
    """Return the newest link of each founder."""
    links = EnrolmentLink.objects.filter(seat=EnrolmentLink.For.FOUNDER, user__is_active=True)
    newest = links.order_by("user_id", "-expires_at").distinct("user_id")
    return sorted(newest.select_related("user__person"), key=lambda link: (link.title, str(link.user_id)))


def _enrolled() -> set[UUID]:
    """Return the persons among the founders who have set a password and a second factor."""
    return {
        link.user.person_id
        for link in _founders()
        if link.used_at is not None and link.user.has_usable_password() and selectors.has_factor(link.user)
    }


def _entry(user: User, since: Any, title: str | None = None) -> roster.Entry:
    passkeys = tuple(
        roster.Credential(id=credential, public_key=stepup.public_key_text(row))
        for credential, row in stepup.passkeys(user).items()
    )
    return roster.Entry(user=user.pk, person=user.person_id, since=since, credentials=passkeys, title=title)
