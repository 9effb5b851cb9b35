"""Each way in and out, and each change of a factor, as an entry of the log beside what it tells of."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from accounts import selectors
from accounts.models import User
from accounts.services import security_role
from audit import services as audit
from audit.events import Event

# Long enough to find one's phone; afterwards the password is asked again.
FIRST_ENROLMENT_SECONDS = 600


@contextmanager
def signing_in(user: User, request: HttpRequest) -> Iterator[None]:
    """Record a sign-in with the factor it was made with, in the transaction that begins the session."""
    factor = "password"
    for used in get_authentication_records(request, user):
        factor = used.get("type") or factor
    with audit.act(by=user, subject=user.pk):
        yield
        audit.record(Event.SIGN_IN_SUCCEEDED, subject=user, facts={"factor": str(factor)})


def is_first_enrolment(request: HttpRequest) -> bool:
    """Say whether this session signed in just now, by an account that had no factor then."""
    records = get_authentication_records(request, request.user)
    if not records or time.time() - records[0]["at"] > FIRST_ENROLMENT_SECONDS:
        return False
    signed_in = datetime.fromtimestamp(records[0]["at"], UTC)
    older = Authenticator.objects.filter(
        user_id=request.user.pk, type__in=selectors.FACTORS, created_at__lt=signed_in
    )
    return not older.exists()


@contextmanager
def signing_out(user: User | AnonymousUser) -> Iterator[None]:
    """Record a sign-out; who was not signed in leaves no entry."""
    if not isinstance(user, User):
        yield
        return
    with audit.act(by=user, subject=user.pk):
        audit.record(Event.SIGN_OUT, subject=user)
        yield


def sign_in_failed(request: HttpRequest, username: str | None) -> None:
    """Record a failed password of a known account; guesses at unknown names are only counted."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    user = User.objects.filter(username=username or "").first()
    if user is None:
        audit.refuse_anonymous(address=address, code="not_authenticated", action="sign_in")
        return
    with audit.act(by=audit.NOBODY, subject=user.pk):
        audit.record(Event.SIGN_IN_FAILED, subject=user, facts={"factor": "password"})


def code_failed(user: User) -> None:
    """Record a wrong code of an account whose password was right."""
    with audit.act(by=audit.NOBODY, subject=user):
        audit.record(Event.SIGN_IN_FAILED, subject=user, facts={"factor": "code"})


@contextmanager
def changing_factor(user: User, kind: Authenticator.Type, change: str) -> Iterator[None]:
    """Record a change of one's own factors in its transaction; a founder's may make the role ready."""
    with audit.act(by=user, subject=user.pk):
        yield
        facts: dict[str, Any] = {"factor": str(kind), "change": change}
        audit.record(Event.MFA_CHANGED, subject=user, facts=facts)
        security_role.ring_when_ready_within()
