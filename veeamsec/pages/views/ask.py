"""Asking: one view for every kind; the form, what it would do, and its post."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import BaseFormSet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts.models import User
from approvals.errors import Invalid
from approvals.models import Policy
from approvals.services import policies, requests
from audit.errors import Refused
from veeamsec.pages import reading
from veeamsec.pages.asking import Asking
from veeamsec.pages.forms.ask import AskForm
from veeamsec.pages.forms.custody import CustodyForm, CustodyFormSet, one_more
from veeamsec.pages.viewer import sent, viewer_of

# What a link into a form may fill in.
GIVEN = ("user", "member", "title", "role", "scope", "drift", "keyset", "server", "case", "finding")


@sensitive_post_parameters("new_password", "again")
@sensitive_variables("form", "wish")
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, asking: Asking) -> HttpResponse:
    """The form of one kind; a post adds a row, shows what it would do, or asks."""
    viewer, jobs = viewer_of(request), _jobs(request)
    if not asking.may(viewer, jobs):
        raise PermissionDenied("You may not ask for this.")
    policy = _policy(jobs)
    form, custody = _forms(request, asking, viewer, policy)
    context = _context(asking, form, custody, policy)
    typed = request.method == "POST" and "more" not in request.POST
    if not typed or not form.is_valid() or (custody is not None and not custody.is_valid()):
        return render(request, "pages/ask.html", context, status=400 if typed else 200)
    wish = form.wish() | ({"custody": _copies(custody)} if custody is not None else {})
    try:
        if "look" in request.POST:
            seen = requests.preview(asking.kind, by=viewer, **wish)
            return render(request, "pages/ask.html", context | {"preview": reading.of(seen.statement)})
        made = requests.ask(asking.kind, by=viewer, **wish)
    except Refused as refused:
        return render(request, "pages/ask.html", context | {"fault": str(refused)}, status=400)
    messages.success(request, f"{made} is asked. Those who may decide are told by mail.")
    return redirect("request", made.pk)


def _forms(
    request: HttpRequest, asking: Asking, viewer: User, policy: Policy | None
) -> tuple[AskForm, BaseFormSet[CustodyForm] | None]:
    questions = policy.procedure_questions if policy and asking.procedure else []
    if "more" in request.POST:
        # Not judged yet: the same again with one row more, the passwords left out.
        form = asking.form(viewer=viewer, questions=questions, initial=_typed(request.POST))
        return form, one_more(request.POST)
    given = {name: request.GET[name] for name in GIVEN if name in request.GET}
    initial = given | {"jobs": _jobs(request), "encryption_password": request.GET.get("password", "")}
    form = asking.form(sent(request), viewer=viewer, questions=questions, initial=initial)
    return form, CustodyFormSet(sent(request), prefix="custody") if asking.custody else None


def _typed(data: QueryDict) -> dict[str, Any]:
    lists = {"jobs": data.getlist("jobs")}
    return {name: data[name] for name in data if name not in ("new_password", "again")} | lists


def _jobs(request: HttpRequest) -> list[UUID]:
    found = []
    for text in request.POST.getlist("jobs") or request.GET.getlist("job"):
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def _policy(jobs: list[UUID]) -> Policy | None:
    try:
        return policies.policy_for(jobs)
    except Invalid:
        return None


def _copies(custody: BaseFormSet[CustodyForm]) -> list[dict[str, Any]]:
    return [row.cleaned_data for row in custody if any(row.cleaned_data.values())]


def _context(
    asking: Asking, form: AskForm, custody: BaseFormSet[CustodyForm] | None, policy: Policy | None
) -> dict[str, Any]:
    return {
        "heading": asking.heading,
        "lead": asking.lead,
        "submit": "Ask for it",
        "back": reverse(asking.back),
        "form": form,
        "hidden": form.hidden_fields(),
        "sections": form.drawn(),
        "custody": custody,
        "questions": form.asked(),
        "procedure": policy.procedure_text if policy else "",
        "steps": _steps(asking, policy),
    }


def _steps(asking: Asking, policy: Policy | None) -> list[dict[str, str]]:
    days = policy.decide_days if policy else 7
    others = asking.badge and policy is not None and policy.administrators_may_approve
    who = "Security, or a Backup administrator" if others else "Security"
    found = [("inbox", "", f"{who} decides within {days} days. You cannot decide yourself.")]
    if asking.badge:
        found.append(("rosette-discount-check", "seal", "Only an approval by Security earns the badge."))
    found.append(("refresh", "", asking.then))
    found.append(("clock", "", "If nobody decides, the request expires and nothing changes."))
    return [{"icon": icon, "tone": tone, "words": said} for icon, tone, said in found]
