"""Who decides, who works, and one's own account."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import selectors
from accounts.models import Role, RoleGrant, SecurityMember, Title, User
from veeamsec.pages import words
from veeamsec.pages.signs import QUIET, REFUSE, Sign
from veeamsec.pages.viewer import viewer_of

SEATS = 2
RULE = "Never fewer than two people. Whoever would leave fewer is refused, by the database too."
FACTORS = {
    Authenticator.Type.WEBAUTHN: ("passkey", "fingerprint", "Passkey", "decisions are signed"),
    Authenticator.Type.TOTP: (
        "authenticator app",
        "device-mobile",
        "Authenticator app",
        "decisions are recorded",
    ),
    Authenticator.Type.RECOVERY_CODES: (
        "",
        "list-check",
        "Recovery codes",
        "for signing in, never for a decision",
    ),
}


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """The Security Role with its headroom, and everybody else for who may see them."""
    viewer = viewer_of(request)
    seats = list(selectors.security_members(active=False))
    active = selectors.security_members().count()
    factors = _factors([seat.user_id for seat in seats])
    context = {
        "lead": "Security decides, from outside the backup team. The backup team asks.",
        "headroom": _headroom(active),
        "rule": RULE,
        "seats": [_seat(seat, factors[seat.user_id]) for seat in seats],
        "people": _others() if viewer.has_perm("accounts.view_person") else [],
        "may_see_people": viewer.has_perm("accounts.view_person"),
        "roster": selectors.newest_roster(),
    }
    return render(request, "pages/people.html", context)


def _headroom(active: int) -> Sign:
    if active < SEATS:
        return Sign(REFUSE, f"{active} of 2: nothing can be approved")
    spare = active - SEATS
    text = (
        f"{words.count(active, 'active seat')}, {spare} more than needed"
        if spare
        else "2 active seats, none to spare"
    )
    return Sign(QUIET, text)


def _seat(seat: SecurityMember, factors: set[str]) -> dict[str, Any]:
    return {
        "name": seat.person.name,
        "title": Title(seat.title).label,
        "since": seat.since,
        "suspended": seat.suspended_at is not None,
        "factors": ", ".join(sorted(factors)) or "no second factor yet",
    }


def _factors(users: list[UUID]) -> dict[UUID, set[str]]:
    found: dict[UUID, set[str]] = defaultdict(set)
    rows = Authenticator.objects.filter(user__in=users).exclude(type=Authenticator.Type.RECOVERY_CODES)
    for user, kind in rows.values_list("user", "type"):
        found[user].add(FACTORS[Authenticator.Type(kind)][0])
    return found


def _others() -> list[dict[str, Any]]:
    granted: dict[UUID, list[str]] = defaultdict(list)
    for user, role in RoleGrant.live().values_list("user", "role"):
        granted[user].append(Role(role).label)
    accounts = (
        User.objects.filter(pk__in=granted).select_related("person").order_by("person__name", "username")
    )
    return [
        {
            "name": user.person.name,
            "roles": f"{', '.join(granted[user.pk])} · {user.username}",
            "active": user.is_active,
        }
        for user in accounts
    ]


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """One's own factors, sessions and rights."""
    viewer = viewer_of(request)
    rows = Authenticator.objects.filter(user=viewer).order_by("type", "created_at")
    here = request.session.session_key
    context = {
        "label": selectors.user_label(viewer).partition(" · ")[2] or "no role yet",
        "factors": [_factor(row) for row in rows],
        "sessions": [
            _session(row, here) for row in UserSession.objects.filter(user=viewer).order_by("-last_seen_at")
        ],
        "rights": _rights(viewer),
    }
    return render(request, "pages/account.html", context)


def _factor(row: Authenticator) -> dict[str, str]:
    _, icon, name, note = FACTORS[Authenticator.Type(row.type)]
    own = str(row.wrap().name) if row.type == Authenticator.Type.WEBAUTHN else ""
    return {"icon": icon, "name": f"{name} “{own}”" if own else name, "note": note}


def _session(row: UserSession, here: str | None) -> dict[str, Any]:
    browser = next((name for name in ("Firefox", "Edg", "Chrome", "Safari") if name in row.user_agent), "")
    named = {"Edg": "Edge"}.get(browser, browser) or row.user_agent[:60] or "Unknown browser"
    return {"browser": named, "ip": row.ip, "seen": row.last_seen_at, "current": row.session_key == here}


# Permission → what it lets a person do.
_RIGHTS = {
    "encryption.view_job": "see jobs, restore points and their signs",
    "encryption.run_job": "run jobs",
    "encryption.restore_job": "restore",
    "encryption.ask_change_job": "ask for a change of encryption",
    "encryption.add_job": "make jobs and repositories, in the console",
    "accounts.add_user": "add people, in the console",
    "audit.view_entry": "read the log",
}


def _rights(viewer: User) -> list[dict[str, str]]:
    standing = viewer.facts()
    rights = [
        {"icon": "check", "tone": "", "words": text}
        for name, text in _RIGHTS.items()
        if viewer.has_perm(name)
    ]
    if standing.is_security:
        rights.append(
            {"icon": "check", "tone": "seal", "words": "decide on requests of others, for Security"}
        )
    elif Role.ADMINISTRATOR in standing.roles:
        words_ = "decide on requests of others where the policy allows; without a badge"
        rights.append({"icon": "check", "tone": "", "words": words_})
    else:
        rights.append({"icon": "ban", "tone": "muted", "words": "you decide on nothing"})
    rights.append({"icon": "ban", "tone": "muted", "words": "nobody decides on their own request"})
    return rights
