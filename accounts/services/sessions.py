"""Each way in and out, and each change of a factor, as an entry of the log beside what it tells of."""

import hashlib
import hmac
import ipaddress
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import rules, selectors
from accounts.errors import NotFound
from accounts.models import KnownDevice, Notice, User
from accounts.services import notices, security_role
from audit import queue
from audit import services as audit
from audit.events import Event
from audit.queue import Task

# Long enough to find one's phone; afterwards the password is asked again.
FIRST_ENROLMENT_SECONDS = 600
# A desk that was left, and a day's work: after them the sign-in is asked again.
IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=10)
# One write a minute is enough to know when a session was last used.
SEEN_EVERY = timedelta(minutes=1)
BEGAN, SEEN, NOTED = "veeamsec_began", "veeamsec_seen", "veeamsec_noted"


@contextmanager
def signing_in(user: User, request: HttpRequest) -> Iterator[None]:
    """Record a sign-in with the factor it was made with, in the transaction that begins the session."""
    factor = "password"
    for used in get_authentication_records(request, user):
        factor = used.get("type") or ("identity" if used.get("method") == "socialaccount" else factor)
    with audit.act(by=user, subject=user.pk):
        yield
        request.session[BEGAN] = request.session[SEEN] = time.time()
        audit.record(Event.SIGN_IN_SUCCEEDED, subject=user, facts={"factor": str(factor)})
        if _is_new_device_within(user, request):
            notices.tell_within([user.pk], Notice.What.NEW_DEVICE)


def is_over(session: SessionBase, *, by_person: bool, now: float | None = None) -> bool:
    """Say whether a session has been idle, or has lasted, too long; else note that it was used.

    `by_person` is false for what a page asks by itself: that keeps no session alive.
    """
    now = time.time() if now is None else now
    # Every sign-in writes both; what has neither ends with its cookie.
    began, seen = session.get(BEGAN, now), session.get(SEEN, now)
    if now - seen > IDLE.total_seconds() or now - began > LONGEST.total_seconds():
        return True
    if by_person and now - seen > SEEN_EVERY.total_seconds():
        session[SEEN] = now
    return False


def note_use(request: HttpRequest, *, now: float | None = None) -> None:
    """Keep from where a session is used: once a minute, and at once from elsewhere or under another key."""
    now, session = time.time() if now is None else now, request.session
    client = (request.META.get("REMOTE_ADDR", ""), request.headers.get("User-Agent", ""))
    here = hashlib.sha256("|".join((session.session_key or "", *client)).encode()).hexdigest()
    noted = session.get(NOTED)
    if noted is not None and noted[0] == here and now - noted[1] <= SEEN_EVERY.total_seconds():
        return
    UserSession.objects.create_from_request(request)
    session[NOTED] = [here, now]


def own(user: User) -> QuerySet[UserSession]:
    """Return a person's own open sessions on this account, the latest first."""
    found: QuerySet[UserSession] = UserSession.objects.filter(user=user).order_by("-last_seen_at")
    return found


def end(session_id: int, *, by: User) -> None:
    """End one of one's own sessions; NotFound for anybody else's."""
    with audit.act(by=by, subject=by.pk):
        row = own(by).filter(pk=session_id).first()
        if row is None:
            raise NotFound("There is no such session of yours.")
        row.end()
        audit.record(Event.SESSION_ENDED, subject=by, facts={"sessions": 1})


def end_others(*, by: User, keep: str | None) -> int:
    """End all of one's own sessions but the one in use; return how many."""
    with audit.act(by=by, subject=by.pk):
        return end_all_within(by, keep=keep)


def end_all_within(user: User, *, keep: str | None = None) -> int:
    """End every session of an account, in the caller's transaction, but the one with the key `keep`."""
    rows = list(UserSession.objects.filter(user=user).exclude(session_key=keep or ""))
    for row in rows:
        row.end()
    if rows:
        audit.record(Event.SESSION_ENDED, subject=user, facts={"sessions": len(rows)})
    return len(rows)


def _is_new_device_within(user: User, request: HttpRequest) -> bool:
    """Remember browser and network of a sign-in, and say whether an account with a history sees them anew."""
    known = KnownDevice.objects.filter(user=user)
    mark = _mark(request)
    has_history = known.exists()
    _, made = KnownDevice.objects.get_or_create(user=user, mark=mark)
    return made and has_history


def _mark(request: HttpRequest) -> bytes:
    try:
        address = ipaddress.ip_address(str(request.META.get("REMOTE_ADDR", "")))
        # A provider hands out new addresses within one network every day.
        network = ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False)
    except ValueError:
        network = None
    told = f"veeamsec/1|device|{request.headers.get('User-Agent', '')}|{network}"
    return hmac.digest(settings.SECRET_KEY.encode(), told.encode(), hashlib.sha256)


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


def identity_refused(request: HttpRequest) -> None:
    """Count an identity of the provider that opens no account here."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    audit.refuse_anonymous(address=address, code="not_authenticated", action="sign_in")


def code_failed(user: User) -> None:
    """Record a wrong code of an account whose password was right."""
    with audit.act(by=audit.NOBODY, subject=user):
        audit.record(Event.SIGN_IN_FAILED, subject=user, facts={"factor": "code"})


@contextmanager
def changing_factor(
    user: User, kind: Authenticator.Type, change: str, *, keep: str | None = None
) -> Iterator[None]:
    """Record a change of one's own factors in its transaction; a founder's may make the role ready.

    The person is told by mail, every session but `keep` ends, and a passkey that went leaves the roster.
    """
    with audit.act(by=user, subject=user.pk):
        yield
        end_all_within(user, keep=keep)
        notices.tell_within(
            [user.pk], Notice.What.FACTOR_CHANGED, f"{Authenticator.Type(kind).label} {change}"
        )
        facts: dict[str, Any] = {"factor": str(kind), "change": change}
        audit.record(Event.MFA_CHANGED, subject=user, facts=facts)
        security_role.ring_when_ready_within()
        if kind == Authenticator.Type.WEBAUTHN:
            queue.ring(Task.DROP_CREDENTIALS, user.pk)


@contextmanager
def changing_identity(user: User, change: str) -> Iterator[None]:
    """Record that an identity of the provider is connected, or no longer; its person is told."""
    with audit.act(by=user, subject=user.pk):
        yield
        notices.tell_within([user.pk], Notice.What.FACTOR_CHANGED, f"Single sign-on {change}")
        audit.record(Event.MFA_CHANGED, subject=user, facts={"factor": "identity", "change": change})


def note_proposals(user: User, groups: object) -> None:
    """Write which roles a provider's groups propose and the account lacks; people grant them, or not."""
    proposed = rules.proposed_roles(groups, settings.VEEAMSEC_OIDC_GROUPS) - user.facts().roles
    if not proposed:
        return
    with audit.act(by=user, subject=user.pk):
        audit.record(Event.ROLES_PROPOSED, subject=user, facts={"roles": ", ".join(sorted(proposed))})
