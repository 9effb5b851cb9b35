"""Deciding in two steps that work without JavaScript: verdict and comment first, then the factor."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import selectors as accounts
from accounts.errors import Invalid, StepUpRequired
from accounts.models import User
from approvals import selectors
from approvals.models import Verdict
from approvals.services import decisions
from veeamsec.pages import dossier, stepping
from veeamsec.pages.viewer import viewer_of

VERBS = {Verdict.APPROVE: "Approve", Verdict.REJECT: "Reject"}


@sensitive_post_parameters("passkey", "totp", "password", "nonce")
@require_http_methods(["GET", "POST"])
def request_decide(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The second page of a decision; its post decides."""
    if request.method == "GET" or request.POST.get("verdict") not in VERBS:
        return redirect("request", request_id)
    viewer = viewer_of(request)
    wish = {name: request.POST.get(name, "") for name in ("verdict", "digest", "comment")}
    if not stepping.came_back(request):
        return _ask_factor(request, request_id, viewer, wish)
    try:
        return _decide(request, request_id, viewer, wish)
    except StepUpRequired as refused:
        return _ask_factor(request, request_id, viewer, wish, fault=str(refused))


def _decide(request: HttpRequest, request_id: UUID, viewer: User, wish: dict[str, str]) -> HttpResponse:
    approves = wish["verdict"] == Verdict.APPROVE
    decide = decisions.approve if approves else decisions.reject
    decided = decide(
        request_id,
        by=viewer,
        digest=wish["digest"],
        step_up=stepping.step_up_of(request),
        comment=wish["comment"],
        interactive=True,
    )
    verb = "approved" if approves else "rejected"
    messages.success(request, f"You {verb} {decided}. It is in the log.")
    return redirect("request", request_id)


def _ask_factor(
    request: HttpRequest, request_id: UUID, viewer: User, wish: dict[str, str], fault: str = ""
) -> HttpResponse:
    try:
        begun = decisions.challenge(
            request_id, by=viewer, verdict=wish["verdict"], digest=wish["digest"], comment=wish["comment"]
        )
    except Invalid as refused:
        messages.error(request, str(refused))
        return redirect("request", request_id)
    found = selectors.get_visible(request_id, viewer)
    verb = VERBS[Verdict(wish["verdict"])]
    action = reverse("request_decide", args=[request_id])
    context = dossier.of(found, viewer) | wish
    context |= stepping.page_of(begun, action=action, verb=verb, hidden=wish)
    context |= {
        "heading": f"{verb} R-{found.number}",
        "capacity_words": accounts.user_label(viewer).partition(" · ")[2],
        "fault": fault,
    }
    return render(request, "pages/decide.html", context, status=401 if fault else 200)
