"""Stopping a member of Security at once, and what the others make of it (P3).

One person's word, so it is short: it ends by itself after 72 hours unless a third member confirms it, and who
gave it may only reject until then. The database keeps the same rules.
"""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785
from django.db.models import Q
from django.utils import timezone

from accounts import rules, selectors
from accounts.errors import InteractiveRequired, Invalid, NotEligible, NotFound
from accounts.models import Notice, SecurityMember, SecurityRole, Suspension, SuspensionVoice, User
from accounts.rules import ADMINISTRATOR, SeatFacts
from accounts.services import notices, sessions, stepup
from accounts.services.stepup import Binding, StepUp
from audit import services as audit
from audit.alarms import Kind as Alarms
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within

SUSPEND, CONFIRM, LIFT = "suspend", "confirm", "lift"
ACTS = (SUSPEND, CONFIRM, LIFT)
SUBJECT, ROLE = "accounts.securitymember", "security-role"
MAX_REASON = 2_000
_SPARE = Q(kind=Alarms.SECURITY_ROLE_SMALL) & ~Q(state=Alarm.State.RESOLVED)


def challenge(
    member_id: UUID, *, by: User, act: str, reason: str = "", interactive: bool = True
) -> dict[str, Any]:
    """Start the step-up for one act on one seat: {nonce, public_key, factors}; refuses what the act would."""
    with audit.attempt(by=by, subject=(SUBJECT, member_id)):
        binding = _check(member_id, by, act, _read(reason), interactive)
        begun: dict[str, Any] = stepup.begin(by, binding)
    return begun


def suspend(member_id: UUID, *, by: User, reason: str, step_up: StepUp, interactive: bool) -> Suspension:
    """Stop a member at once: no vote, no sign-in; all members are told, and an alarm is raised."""
    reason = _read(reason)
    with audit.attempt(by=by, subject=(SUBJECT, member_id)) as attempt:
        binding = _check(member_id, by, SUSPEND, reason, interactive)
        proof = stepup.consume(step_up, by=by, binding=binding, mfa_required=True)
        with attempt.act():
            _lock_within()
            _check(member_id, by, SUSPEND, reason, interactive)
            now, member = timezone.now(), _member(member_id)
            # Ended later, a former one would take this one's sign from the seat.
            for former in member.suspensions.filter(ended_at=None, ends_at__lte=now):
                _end_within(former, former.ends_at or now)
            made = Suspension.objects.create(
                member=member,
                suspender=_own(by),
                reason=reason,
                proof=proof,
                began_at=now,
                ends_at=now + rules.SUSPENSION,
            )
            sessions.end_all_within(member.user)
            text = f"{member} was suspended: {reason}"
            raise_alarm_within(Alarms.MEMBER_SUSPENDED, member, Alarm.Severity.CRITICAL, text, by=by)
            audit.record(Event.MEMBER_SUSPENDED, subject=member, facts={"suspension": made.pk})
            _tell_within(Notice.What.MEMBER_SUSPENDED)
    return made


def confirm(member_id: UUID, *, by: User, step_up: StepUp, interactive: bool) -> Suspension:
    """Let a suspension last, as a third member."""
    with audit.attempt(by=by, subject=(SUBJECT, member_id)) as attempt:
        binding = _check(member_id, by, CONFIRM, "", interactive)
        proof = stepup.consume(step_up, by=by, binding=binding, mfa_required=True)
        with attempt.act():
            _lock_within()
            _check(member_id, by, CONFIRM, "", interactive)
            suspension = _speak_within(member_id, by, SuspensionVoice.Says.CONFIRM, proof)
            suspension.ends_at = None
            suspension.save(update_fields=["ends_at"])
            audit.record(
                Event.MEMBER_CONFIRMED, subject=suspension.member, facts={"suspension": suspension.pk}
            )
            _tell_within(Notice.What.SUSPENSION_CONFIRMED)
    return suspension


def lift(member_id: UUID, *, by: User, step_up: StepUp, interactive: bool) -> Suspension:
    """Say that a suspension should end; the second member who says so ends it."""
    with audit.attempt(by=by, subject=(SUBJECT, member_id)) as attempt:
        binding = _check(member_id, by, LIFT, "", interactive)
        proof = stepup.consume(step_up, by=by, binding=binding, mfa_required=True)
        with attempt.act():
            _lock_within()
            _check(member_id, by, LIFT, "", interactive)
            suspension = _speak_within(member_id, by, SuspensionVoice.Says.LIFT, proof)
            lifters = suspension.voices.filter(says=SuspensionVoice.Says.LIFT).count()
            facts = {"suspension": suspension.pk, "lifters": lifters}
            audit.record(Event.MEMBER_LIFTED, subject=suspension.member, facts=facts)
            if lifters >= rules.LIFTERS:
                _end_within(suspension, timezone.now())
                _tell_within(Notice.What.SUSPENSION_LIFTED)
    return suspension


def doubt(member_id: UUID, *, by: User, reason: str) -> Alarm:
    """Raise the alarm about a member: all that an administrator may do, and any other member too (P3)."""
    reason = _read(reason)
    with audit.act(by=by, subject=(SUBJECT, member_id)):
        member, standing = _member(member_id), by.facts()
        holds = standing.active and standing.is_human and ADMINISTRATOR in standing.roles
        if not (holds or standing.is_security):
            raise NotEligible("A Backup administrator or a member of Security raises this alarm.")
        if not reason:
            raise Invalid("Say what happened.")
        audit.record(Event.MEMBER_DOUBTED, subject=member)
        text = f"{member} is doubted: {reason}"
        return raise_alarm_within(Alarms.MEMBER_DOUBTED, member, Alarm.Severity.CRITICAL, text, by=by)


def settle() -> int:
    """Note the end of every suspension that time has ended, and whether seats are few; return how many."""
    over = Suspension.objects.filter(ended_at=None, ends_at__lte=timezone.now())
    ids = list(over.values_list("pk", flat=True))
    for pk in ids:
        with audit.act(by=audit.WORKER, subject=ROLE):
            _lock_within()
            suspension = Suspension.objects.select_related("member__person").get(pk=pk)
            if suspension.ended_at is None and suspension.ends_at is not None:
                _end_within(suspension, suspension.ends_at)
    _watch_spare()
    return len(ids)


def _check(member_id: UUID, by: User, act: str, reason: str, interactive: bool) -> Binding:
    if not interactive or not by.is_human:
        raise InteractiveRequired("Only a person at a browser does this.")
    if act not in ACTS:
        raise Invalid(f"There is no such act: {', '.join(ACTS)}.")
    member, own, now = _member(member_id), _own(by), timezone.now()
    mine, theirs = _facts(own, now), _facts(member, now)
    found = Suspension.open(now).filter(member=member).first()
    if act == SUSPEND:
        if not reason:
            raise Invalid("Say why: the others will want to know.")
        made = Suspension.objects.filter(suspender=own)
        has_open = Suspension.open(now).filter(suspender=own, member__until=None).exists()
        last = made.filter(member=member).values_list("began_at", flat=True).first()
        rules.check_suspend(mine, theirs, has_open=has_open, last=last, now=now)
    elif act == CONFIRM:
        rules.check_confirm(mine, theirs, _suspension(found))
    else:
        rules.check_lift(mine, theirs, _suspension(found))
    return _binding(member, found, by, act, reason)


def _binding(member: SecurityMember, found: Suspension | None, by: User, act: str, reason: str) -> Binding:
    """Return what a passkey signs: this act on this seat, with its reason, and on which suspension."""
    text = rfc8785.dumps(
        {
            "act": act,
            "member": str(member.pk),
            "reason": reason,
            "suspension": str(found.pk) if found else None,
            "type": "veeamsec-suspension",
            "version": 1,
        }
    )
    return Binding(
        request=member.pk,
        digest=hashlib.sha256(text).hexdigest(),
        verdict=act,
        capacity=rules.SECURITY,
        person=by.person_id,
        comment_digest=hashlib.sha256(reason.encode()).hexdigest(),
    )


def _speak_within(member_id: UUID, by: User, says: SuspensionVoice.Says, proof: dict[str, Any]) -> Suspension:
    found = Suspension.open().select_related("member__person").select_for_update(of=("self",))
    suspension = found.get(member_id=member_id)
    suspension.voices.create(seat=_own(by), says=says, proof=proof)
    return suspension


def _end_within(suspension: Suspension, at: datetime) -> None:
    suspension.ended_at = at
    suspension.save(update_fields=["ended_at"])
    facts = {"suspension": suspension.pk}
    audit.record(Event.MEMBER_SUSPENSION_ENDED, subject=suspension.member, facts=facts)
    resolve_alarm_within(Alarms.MEMBER_SUSPENDED, suspension.member)
    tell_size_within()


def tell_size_within() -> None:
    """Raise or end the alarm about too few active members, in the caller's transaction."""
    active = selectors.active_seats()
    if active < selectors.SEATS:
        text = f"The Security Role has {active} active member(s) of {selectors.SEATS}: nothing is approved."
        raise_alarm_within(Alarms.SECURITY_ROLE_TOO_SMALL, ROLE, Alarm.Severity.CRITICAL, text)
    else:
        resolve_alarm_within(Alarms.SECURITY_ROLE_TOO_SMALL, ROLE)


def _watch_spare() -> None:
    """Raise or end the alarm that Security has no member to spare; once sealed, and above what is too few."""
    short = selectors.sealed_at() is not None and selectors.active_seats() == selectors.SEATS
    if short == Alarm.objects.filter(_SPARE).exists():
        return
    with audit.act(by=audit.WORKER, subject=ROLE):
        if short:
            text = f"Security has {selectors.SEATS} active members; three are advised."
            raise_alarm_within(Alarms.SECURITY_ROLE_SMALL, ROLE, Alarm.Severity.WARNING, text)
        else:
            resolve_alarm_within(Alarms.SECURITY_ROLE_SMALL, ROLE)


def _tell_within(what: Notice.What) -> None:
    notices.tell_within(selectors.security_members(active=False).values_list("user_id", flat=True), what)
    tell_size_within()


def _lock_within() -> None:
    SecurityRole.objects.select_for_update().get(pk=1)


def _member(member_id: UUID) -> SecurityMember:
    found = SecurityMember.objects.select_related("person", "user").filter(pk=member_id).first()
    if found is None:
        raise NotFound("There is no such seat.")
    return found


def _own(user: User) -> SecurityMember:
    found = SecurityMember.objects.select_related("person", "user").filter(user=user, until=None).first()
    if found is None:
        raise NotEligible("Only a member of Security does this; an administrator may raise the alarm.")
    return found


def _facts(seat: SecurityMember, now: datetime) -> SeatFacts:
    acts = seat.until is None and seat.user.is_active and not seat.is_suspended(now)
    return SeatFacts(seat.pk, live=seat.until is None, acts=acts)


def _suspension(found: Suspension | None) -> rules.SuspensionFacts | None:
    if found is None:
        return None
    lifted = found.voices.filter(says=SuspensionVoice.Says.LIFT).values_list("seat_id", flat=True)
    return rules.SuspensionFacts(
        found.member_id, found.suspender_id, confirmed=found.ends_at is None, lifted_by=frozenset(lifted)
    )


def _read(reason: str) -> str:
    reason = reason.strip()
    if len(reason) > MAX_REASON or any(not sign.isprintable() and sign != "\n" for sign in reason):
        raise Invalid(f"A reason is a text of at most {MAX_REASON} characters that shows as what it is.")
    return reason
