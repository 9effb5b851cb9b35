"""Joining and leaving, as a decided request authorises it: seats, administrators, credentials (P3, P4, P14).

Every step joins the worker's transaction, looks again under the role's lock, and signs the next roster.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.utils import timezone

from accounts import roster, rules, selectors
from accounts.errors import NotEligible, NotNow, SecurityRoleTooSmall
from accounts.models import (
    ApiToken,
    EnrolmentLink,
    KnownDevice,
    Notice,
    Role,
    RoleGrant,
    SecurityMember,
    SecurityRole,
    User,
)
from accounts.roster import Credential, Entry, RosterBody
from accounts.services import notices, rostering, sessions, suspensions
from accounts.services.rostering import Signer
from accounts.services.security_role import roster_in_force
from audit import queue
from audit import services as audit
from audit.alarms import Kind as Alarms
from audit.events import Event
from audit.queue import Task
from audit.services.alarms import resolve_alarm_within


def check_seat_for(user: User, *, leaving: SecurityMember | None = None) -> None:
    """Refuse a seat for who may not take one; `leaving` is the seat that it replaces."""
    _check_account(user)
    seat = SecurityMember.objects.filter(person_id=user.person_id, until=None).first()
    if seat is not None and (leaving is None or seat.pk != leaving.pk or seat.user_id != user.pk):
        raise NotEligible("This person holds a seat of the Security Role already.")
    held = RoleGrant.live().filter(user__person_id=user.person_id).values_list("role", flat=True)
    if (role := rules.conflict(has_seat=True, roles=held)) is not None:
        raise NotEligible(f"Who works in the backup team takes no seat ({Role(role).label}).")


def check_grant_for(user: User, role: Role) -> None:
    """Refuse an administrator's office for who may not hold it."""
    _check_account(user)
    if role not in rules.DECIDED_ROLES:
        raise NotEligible("A request grants the offices of Backup and Enterprise administrator alone.")
    if SecurityMember.objects.filter(person_id=user.person_id, until=None).exists():
        raise NotEligible("Who holds a seat of the Security Role takes no role of the backup team.")


def seat_within(
    user: User, title: str, *, credentials: Sequence[Credential], request: UUID, signer: Signer
) -> SecurityMember:
    """Seat an account."""
    _lock_within()
    check_seat_for(user)
    now = timezone.now()
    seat = SecurityMember.objects.create(user=user, person_id=user.person_id, title=title, since=now)
    entry = _entry(user, now, credentials, title)
    rostering.sign_next_within(lambda body: roster.seated(body, entry), signer, request=request)
    _joined_within(seat)
    return seat


def unseat_within(seat_id: UUID, *, request: UUID, signer: Signer) -> None:
    """End a seat; SecurityRoleTooSmall when fewer than two persons would be left."""
    _lock_within()
    seat = _live_seat(seat_id)
    if selectors.security_members(active=False).exclude(pk=seat.pk).count() < selectors.SEATS:
        raise SecurityRoleTooSmall("The Security Role would have fewer than two seats.")
    _leave_within(seat)
    rostering.sign_next_within(lambda body: roster.unseated(body, seat.user_id), signer, request=request)


def replace_within(
    seat_id: UUID,
    user: User,
    title: str,
    *,
    credentials: Sequence[Credential],
    request: UUID,
    signer: Signer,
) -> SecurityMember:
    """Seat one account in place of another; the same account is admitted anew with other passkeys."""
    _lock_within()
    former = _live_seat(seat_id)
    check_seat_for(user, leaving=former)
    now = timezone.now()
    if former.user_id == user.pk:
        if former.title != title:
            raise NotEligible("A seat keeps its title; the same account is admitted anew under it.")
        entry = _entry(user, now, credentials, former.title)
        rostering.sign_next_within(lambda body: roster.seated(body, entry), signer, request=request)
        return former
    # The new one first: there are never fewer than two, not even in between.
    seat = SecurityMember.objects.create(user=user, person_id=user.person_id, title=title, since=now)
    _leave_within(former)
    entry = _entry(user, now, credentials, title)

    def changed(body: RosterBody) -> RosterBody:
        return roster.seated(roster.unseated(body, former.user_id), entry)

    rostering.sign_next_within(changed, signer, request=request)
    _joined_within(seat)
    return seat


def grant_within(
    user: User, role: Role, *, credentials: Sequence[Credential], request: UUID, signer: Signer
) -> None:
    """Grant an administrator's office; who holds it is admitted anew with other passkeys."""
    _lock_within()
    check_grant_for(user, role)
    now = timezone.now()
    if not RoleGrant.live().filter(user=user, role=role).exists():
        RoleGrant.objects.create(user=user, role=role, since=now)
        _staff_within(user)
        audit.record(Event.ROLE_GRANTED, subject=user, facts={"role": str(role), "request": request})
    if role == Role.ADMINISTRATOR:
        entry = _entry(user, now, credentials)
        rostering.sign_next_within(lambda body: roster.appointed(body, entry), signer, request=request)


def revoke_within(user: User, role: Role, *, request: UUID, signer: Signer) -> None:
    """Take an administrator's office away; the account's sessions end."""
    _lock_within()
    now = timezone.now()
    if not RoleGrant.live(now).filter(user=user, role=role).update(until=now):
        raise NotNow("This account does not hold that office any more.")
    _staff_within(user)
    sessions.end_all_within(user)
    audit.record(Event.ROLE_REVOKED, subject=user, facts={"role": str(role), "request": request})
    if role == Role.ADMINISTRATOR:
        rostering.sign_next_within(lambda body: roster.dismissed(body, user.pk), signer, request=request)


def reset_within(user: User, *, address: str, request: UUID, signer: Signer) -> None:
    """Take password, factors, tokens and sessions of an account away; its person gets a new first link.

    The link goes to `address`, which whoever decided has read; it is the account's own from then on. Its
    passkeys leave the roster with it: a new one is admitted by another request.
    """
    _lock_within()
    sessions.end_all_within(user)
    Authenticator.objects.filter(user=user).delete()
    ApiToken.objects.filter(user=user).delete()
    KnownDevice.objects.filter(user=user).delete()
    EnrolmentLink.objects.filter(user=user, used_at=None).update(expires_at=timezone.now())
    user.set_unusable_password()
    user.is_active, user.email = True, address
    user.save(update_fields=["password", "is_active", "email"])
    audit.record(Event.CREDENTIALS_RESET, subject=user, facts={"request": request})
    notices.tell_within([user.pk], Notice.What.CREDENTIALS_RESET)
    queue.ring(Task.SEND_LINK, user.pk)
    if roster_in_force().entry(user.pk) is not None:
        rostering.sign_next_within(
            lambda body: roster.with_credentials(body, user.pk, ()), signer, request=request
        )


def _check_account(user: User) -> None:
    if not user.is_active or not user.is_human:
        raise NotEligible("An office is held by a person with an active account.")
    if user.is_superuser:
        raise NotEligible("A superuser's account takes no office.")
    if not user.has_usable_password() or not selectors.has_factor(user):
        raise NotEligible("This person has to sign in first, and set up a second factor.")


def _lock_within() -> None:
    SecurityRole.objects.select_for_update().get(pk=1)


def _live_seat(seat_id: UUID) -> SecurityMember:
    seat = SecurityMember.objects.select_related("user", "person").filter(pk=seat_id, until=None).first()
    if seat is None:
        raise NotNow("This seat is not held any more.")
    return seat


def _leave_within(seat: SecurityMember) -> None:
    seat.until = timezone.now()
    seat.save(update_fields=["until"])
    sessions.end_all_within(seat.user)
    resolve_alarm_within(Alarms.MEMBER_SUSPENDED, seat)
    resolve_alarm_within(Alarms.MEMBER_DOUBTED, seat)
    audit.record(Event.MEMBER_REMOVED, subject=seat, facts={"user": seat.user_id})
    suspensions.tell_size_within()


def _joined_within(seat: SecurityMember) -> None:
    audit.record(Event.MEMBER_ADDED, subject=seat, facts={"user": seat.user_id, "title": seat.title})
    suspensions.tell_size_within()


def _staff_within(user: User) -> None:
    held = RoleGrant.live().filter(user=user).values_list("role", flat=True)
    user.is_staff = user.is_superuser or bool(rules.STAFF_ROLES.intersection(held))
    user.save(update_fields=["is_staff"])


def _entry(user: User, since: datetime, credentials: Sequence[Credential], title: str | None = None) -> Entry:
    return Entry(
        user=user.pk,
        person=user.person_id,
        since=since.replace(microsecond=0),
        credentials=tuple(credentials),
        title=title,
    )
