"""Asking for a change of encryption: one view, four kinds."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import BaseFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts.models import User
from approvals.errors import Invalid
from approvals.models import Kind, Policy
from approvals.services import policies, requests
from audit.errors import Refused
from encryption import selectors
from veeamsec.pages.forms import ask as forms
from veeamsec.pages.forms.ask import AskForm
from veeamsec.pages.forms.custody import CustodyForm, CustodyFormSet
from veeamsec.pages.viewer import viewer_of


@dataclass(frozen=True, slots=True)
class Asking:
    """How one kind of request is asked for."""

    kind: Kind
    form: type[AskForm]
    heading: str
    lead: str
    custody: bool
    then: str


ACTIVATE = Asking(
    Kind.ACTIVATE,
    forms.ActivateForm,
    "Activate encryption",
    "Backups of these jobs are written encrypted, once another person has approved the password.",
    custody=True,
    then="The next backup of each job is a full one under the new keys. Older points stay as they are.",
)
CHANGE = Asking(
    Kind.CHANGE,
    forms.ChangeForm,
    "Change a password",
    "Every restore point under it opens with the new one afterwards, and no longer with the old one.",
    custody=True,
    then="The worker re-keys each job, and proves that the new password opens it and the old one does not.",
)
DEACTIVATE = Asking(
    Kind.DEACTIVATE,
    forms.DeactivateForm,
    "Deactivate encryption",
    "Backups of these jobs are written in clear, once another person has approved that.",
    custody=False,
    then="The next backup of each job is a plain full one, and the badge goes.",
)
DELETE = Asking(
    Kind.DELETE,
    forms.DeleteForm,
    "Delete a password",
    "Every version of it is erased for ever. It is refused while anything still needs one.",
    custody=False,
    then="The worker erases the sealed values; nothing that needs them is left.",
)


@sensitive_post_parameters("new_password", "again")
@sensitive_variables("form", "wish")
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, asking: Asking) -> HttpResponse:
    """The form of one kind, and its post."""
    viewer = viewer_of(request)
    jobs = _jobs(request)
    if not _may_ask(viewer, jobs):
        raise PermissionDenied("You may not ask for changes of encryption.")
    policy = _policy(jobs)
    questions = policy.procedure_questions if policy else []
    initial = {"jobs": jobs, "encryption_password": request.GET.get("password", "")}
    form = asking.form(request.POST or None, viewer=viewer, questions=questions, initial=initial)
    custody = CustodyFormSet(request.POST or None, prefix="custody") if asking.custody else None
    fault = ""
    if request.method == "POST" and form.is_valid() and (custody is None or custody.is_valid()):
        wish = form.wish() | ({"custody": _copies(custody)} if custody is not None else {})
        try:
            made = requests.ask(asking.kind, by=viewer, **wish)
        except Refused as refused:
            fault = str(refused)
        else:
            messages.success(request, f"{made} is asked. Those who may decide are told by mail.")
            return redirect("request", made.pk)
    context = _context(asking, form, custody, policy) | {"fault": fault}
    return render(request, "pages/ask.html", context, status=400 if request.method == "POST" else 200)


def _may_ask(viewer: User, jobs: list[UUID]) -> bool:
    if viewer.has_perm("encryption.ask_change_job"):
        return True
    named = selectors.jobs_for(viewer).filter(pk__in=jobs)
    return bool(jobs) and all(selectors.may(viewer, "ask_change", job) for job in named)


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
    days = policy.decide_days if policy else 7
    who = (
        "Security, or a Backup administrator" if policy and policy.administrators_may_approve else "Security"
    )
    steps = [
        {
            "icon": "inbox",
            "tone": "",
            "words": f"{who} decides within {days} days. You cannot decide yourself.",
        },
        {
            "icon": "rosette-discount-check",
            "tone": "seal",
            "words": "Only an approval by Security earns the badge.",
        },
        {"icon": "refresh", "tone": "", "words": asking.then},
        {"icon": "clock", "tone": "", "words": "If nobody decides, the request expires and nothing changes."},
    ]
    return {
        "heading": asking.heading,
        "lead": asking.lead,
        "submit": "Ask for it",
        "back": reverse("requests"),
        "form": form,
        "sections": form.drawn(),
        "custody": custody,
        "questions": form.asked(),
        "procedure": policy.procedure_text if policy else "",
        "steps": steps,
    }
