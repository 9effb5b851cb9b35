"""One seat of Security: its proof, its suspension, and what another member may do about it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import Invalid, NotFound, StepUpRequired
from accounts.models import Role, SecurityMember, Title, User
from accounts.services import suspensions
from veeamsec.pages import seats, stepping
from veeamsec.pages.asking import may_ask_people
from veeamsec.pages.viewer import demand, viewer_of


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that a member does about another's seat."""

    verb: str
    effect: str
    done: str


ACTS = {
    suspensions.SUSPEND: Act(
        "Suspend",
        "They vote on nothing and sign in nowhere, at once. It ends by itself after 72 hours unless a third"
        " member confirms it. Until then you may only reject.",
        "{} is suspended. All members are told by mail.",
    ),
    suspensions.CONFIRM: Act(
        "Confirm the suspension",
        "It then lasts until two members lift it, or a decided request ends the seat.",
        "The suspension of {} is confirmed.",
    ),
    suspensions.LIFT: Act(
        "Lift the suspension",
        "The second member who says so ends it.",
        "You said that the suspension of {} should end; with the second member it does.",
    ),
}


@require_safe
def seat(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """One seat."""
    viewer = viewer_of(request)
    demand(viewer, "accounts.view_securitymember")
    return render(request, "pages/seat.html", _context(viewer, _member(member_id)))


@sensitive_post_parameters("passkey", "totp", "nonce")
@require_http_methods(["GET", "POST"])
def seat_act(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Suspend, confirm or lift in two steps: what and why first, then the factor."""
    act = request.POST.get("act", "")
    if request.method == "GET" or act not in ACTS:
        return redirect("seat", member_id)
    viewer, reason = viewer_of(request), request.POST.get("reason", "") if act == suspensions.SUSPEND else ""
    if not stepping.came_back(request):
        return _ask_factor(request, member_id, viewer, act, reason)
    try:
        _do(request, member_id, viewer, act, reason)
    except StepUpRequired as refused:
        return _ask_factor(request, member_id, viewer, act, reason, fault=str(refused))
    messages.success(request, ACTS[act].done.format(_member(member_id).person.name))
    return redirect("seat", member_id)


@require_POST
def seat_doubt(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Raise the alarm about a member."""
    try:
        suspensions.doubt(member_id, by=viewer_of(request), reason=request.POST.get("reason", ""))
    except Invalid as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "The alarm is raised. Every member of Security sees it.")
    return redirect("seat", member_id)


def _do(request: HttpRequest, member_id: UUID, viewer: User, act: str, reason: str) -> None:
    step_up = stepping.step_up_of(request)
    if act == suspensions.SUSPEND:
        suspensions.suspend(member_id, by=viewer, reason=reason, step_up=step_up, interactive=True)
    elif act == suspensions.CONFIRM:
        suspensions.confirm(member_id, by=viewer, step_up=step_up, interactive=True)
    else:
        suspensions.lift(member_id, by=viewer, step_up=step_up, interactive=True)


def _ask_factor(
    request: HttpRequest, member_id: UUID, viewer: User, act: str, reason: str, fault: str = ""
) -> HttpResponse:
    try:
        begun = suspensions.challenge(member_id, by=viewer, act=act, reason=reason)
    except Invalid as refused:
        messages.error(request, str(refused))
        return redirect("seat", member_id)
    member, said = _member(member_id), ACTS[act]
    action = reverse("seat_act", args=[member_id])
    context = stepping.page_of(
        begun, action=action, verb=said.verb, hidden={"act": act, "reason": reason.strip()}
    )
    context |= {"member": member, "said": said, "reason": reason.strip(), "fault": fault}
    return render(request, "pages/seat_act.html", context, status=401 if fault else 200)


def _member(member_id: UUID) -> SecurityMember:
    found = SecurityMember.objects.select_related("person", "user").filter(pk=member_id).first()
    if found is None:
        raise NotFound("There is no such seat.")
    return found


def _context(viewer: User, member: SecurityMember) -> dict[str, Any]:
    body, live = seats.roster(), member.until is None
    entry = body.entry(member.user_id) if body else None
    other = live and member.person_id != viewer.person_id
    stop, facts = seats.stop_of(member), viewer.facts()
    acts = viewer.is_security and other
    may_doubt = other and (viewer.is_security or (facts.active and Role.ADMINISTRATOR in facts.roles))
    return {
        "member": member,
        "title_words": "a member" if member.title == Title.OTHER else Title(member.title).label,
        "sign": seats.sign_of(member),
        "live": live,
        "stop": stop,
        "proof": seats.passkeys_of(member.user, body),
        "listed_since": entry.since if entry else None,
        "may_suspend": acts and stop is None,
        "may_speak": acts and stop is not None,
        "may_confirm": acts and stop is not None and stop.until is not None,
        "may_doubt": may_doubt,
        "own": member.person_id == viewer.person_id,
        "suspend": ACTS[suspensions.SUSPEND],
        "asks": _asks(member) if live and may_ask_people(viewer) else [],
    }


def _asks(member: SecurityMember) -> list[dict[str, str]]:
    same = f"member={member.pk}&user={member.user_id}&title={member.title}"
    return [
        {"words": "Replace this member", "url": f"{reverse('ask_replace_member')}?member={member.pk}"},
        {"words": "End this seat", "url": f"{reverse('ask_remove_member')}?member={member.pk}"},
        {"words": "Admit their passkeys anew", "url": f"{reverse('ask_replace_member')}?{same}"},
        {"words": "Reset their credentials", "url": f"{reverse('ask_reset')}?user={member.user_id}"},
    ]
