"""Suspending with a real step-up."""

from typing import Any
from uuid import UUID

from accounts.models import SecurityMember, Suspension, User
from accounts.services import suspensions
from accounts.services.stepup import StepUp
from tests.accounts.conftest import totp_code

REASON = "Their laptop was stolen."


def seat_of(user: User) -> UUID:
    """The live seat of an account."""
    return SecurityMember.objects.get(user=user, until=None).pk


def begun(by: User, member: UUID, act: str, reason: str = "") -> StepUp:
    """A step-up for one act, with a code that counts as new."""
    nonce = suspensions.challenge(member, by=by, act=act, reason=reason)["nonce"]
    User.objects.filter(pk=by.pk).update(totp_last_step=-1)
    return StepUp(nonce, totp=totp_code())


def suspend(by: User, user: User, reason: str = REASON) -> Suspension:
    """One member suspends another."""
    member = seat_of(user)
    step_up = begun(by, member, "suspend", reason)
    return suspensions.suspend(member, by=by, reason=reason, step_up=step_up, interactive=True)


def confirm(by: User, user: User) -> Suspension:
    """A third member confirms."""
    member = seat_of(user)
    return suspensions.confirm(member, by=by, step_up=begun(by, member, "confirm"), interactive=True)


def lift(by: User, user: User) -> Suspension:
    """A member lifts."""
    member = seat_of(user)
    return suspensions.lift(member, by=by, step_up=begun(by, member, "lift"), interactive=True)


def forge_suspension(by: User, user: User, **fields: Any) -> Suspension:
    """A row of a suspension, written without the use case."""
    from django.utils import timezone

    from accounts import rules

    given = {
        "suspender_id": seat_of(by),
        "member_id": seat_of(user),
        "reason": "x",
        "proof": {},
        "ends_at": timezone.now() + rules.SUSPENSION,
    }
    return Suspension.objects.create(**(given | fields))
