"""One's own account: factors and the roster, sessions, tokens, rights."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import selectors
from accounts.errors import Invalid, NotEligible, NotNow, ProofInvalid
from accounts.models import CredentialEnrolment, Role, User
from accounts.services import passkeys, sessions, tokens
from accounts.services.passkeys import OwnPasskey
from veeamsec.pages import seats, stepping
from veeamsec.pages.viewer import viewer_of

FACTORS = {
    Authenticator.Type.TOTP: ("device-mobile", "Authenticator app", "decisions are recorded"),
    Authenticator.Type.RECOVERY_CODES: (
        "list-check",
        "Recovery codes",
        "for signing in, never for a decision",
    ),
}


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """One's own factors, sessions, tokens and rights."""
    viewer, here = viewer_of(request), request.session.session_key
    rows = Authenticator.objects.filter(user=viewer, type__in=FACTORS).order_by("type")
    open_sessions = [_session(row, here) for row in sessions.own(viewer)]
    context = {
        "label": selectors.user_label(viewer).partition(" · ")[2] or "no role yet",
        "passkeys": _passkeys(viewer),
        "factors": [dict(zip(("icon", "name", "note"), FACTORS[row.type], strict=True)) for row in rows],
        "sessions": open_sessions,
        "others": sum(not row["current"] for row in open_sessions),
        "tokens": [token for token in tokens.own(viewer) if not token.is_over],
        "rights": _rights(viewer),
    }
    return render(request, "pages/account.html", context)


@sensitive_post_parameters("passkey")
@require_http_methods(["GET", "POST"])
def passkey_roster(request: HttpRequest, passkey_id: int) -> HttpResponse:
    """Have a passkey of the roster sign another one in; its post hands that to the worker."""
    viewer, fault = viewer_of(request), ""
    if request.method == "POST":
        answer = stepping.answer_of(request.POST.get("passkey", ""))
        try:
            passkeys.enter_roster(passkey_id, by=viewer, answer=answer, interactive=True)
        except ProofInvalid as refused:
            fault = str(refused)
        else:
            messages.success(request, "It is with the worker, who verifies it and signs the next roster.")
            return redirect("account")
    try:
        options = passkeys.begin(passkey_id, by=viewer)
    except (Invalid, NotEligible, NotNow) as refused:
        messages.error(request, str(refused))
        return redirect("account")
    name = next(key.name for key in passkeys.own(viewer) if key.id == passkey_id)
    context = {"name": name, "options": options, "fault": fault}
    return render(request, "pages/passkey_roster.html", context, status=401 if fault else 200)


@require_POST
def session_end(request: HttpRequest, session_id: int) -> HttpResponse:
    """End one of one's own sessions."""
    sessions.end(session_id, by=viewer_of(request))
    messages.success(request, "That session is over.")
    return redirect("account")


@require_POST
def sessions_end(request: HttpRequest) -> HttpResponse:
    """End all of one's own sessions but this one."""
    sessions.end_others(by=viewer_of(request), keep=request.session.session_key)
    messages.success(request, "You are signed in here alone.")
    return redirect("account")


def _passkeys(viewer: User) -> list[dict[str, Any]]:
    body = seats.roster()
    if body is None or body.entry(viewer.pk) is None:
        rows = Authenticator.objects.filter(user=viewer, type=Authenticator.Type.WEBAUTHN)
        return [{"name": row.wrap().name, "note": "for signing in and deciding"} for row in rows]
    return [_passkey(key) for key in passkeys.own(viewer)]


def _passkey(key: OwnPasskey) -> dict[str, Any]:
    offered = key.offered
    waits = offered is not None and offered.state == CredentialEnrolment.State.WAITING and not key.since
    refused = offered is not None and offered.state == CredentialEnrolment.State.REFUSED and not key.since
    if key.since:
        note = "on the roster: your decisions are signed"
    elif waits:
        note = "signed by another passkey of yours; the worker verifies it now"
    elif refused and offered:
        note = f"the worker refused it: {offered.reason}"
    else:
        note = "not on the roster: a decision with it is recorded, not signed"
    return {
        "id": key.id,
        "name": key.name,
        "note": note,
        "since": key.since,
        "waits": waits,
        "refused": refused,
        "may": key.can_enter and not waits,
    }


def _session(row: UserSession, here: str | None) -> dict[str, Any]:
    browser = next((name for name in ("Firefox", "Edg", "Chrome", "Safari") if name in row.user_agent), "")
    named = {"Edg": "Edge"}.get(browser, browser) or row.user_agent[:60] or "Unknown browser"
    current = row.session_key == here
    return {"id": row.pk, "browser": named, "ip": row.ip, "seen": row.last_seen_at, "current": current}


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
