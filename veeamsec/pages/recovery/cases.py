"""A lost password, step by step, on both sides: request, answer, keys, restore."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Role, User
from audit.errors import Refused
from encryption import selectors
from encryption.errors import EngineError
from encryption.models import RecoveredKeys, RestorePoint
from recovery.models import RecoveryCase
from recovery.services import answers, cases, keysets
from veeamsec.pages import signs
from veeamsec.pages.forms.recovery import CaseForm, ReceiveForm, TextForm
from veeamsec.pages.signs import Sign
from veeamsec.pages.viewer import demand, sent, viewer_of

State, Side = RecoveryCase.State, RecoveryCase.Side
_SIGNS = {
    State.MADE: Sign(signs.ACT, "Being made", "refresh"),
    State.ASKED: Sign(signs.WAIT, "Waiting for an answer", "clock"),
    State.ANSWERED: Sign(signs.ACT, "Answered"),
    State.OPENED: Sign(signs.ACT, "Keys opened", "key"),
    State.USED: Sign(signs.QUIET, "Used up"),
    State.REFUSED: Sign(signs.REFUSE, "Refused"),
    State.EXPIRED: Sign(signs.QUIET, "Expired"),
}


def of_both_sides(viewer: User) -> list[dict[str, Any]]:
    """Return the cases that somebody may see, newest first."""
    seen = list(cases.visible(viewer)[:25])
    if viewer.is_security or viewer.has_role(Role.ENTERPRISE) or viewer.has_role(Role.AUDITOR):
        seen += list(RecoveryCase.objects.filter(side=Side.ENTERPRISE)[:25])
    rows = sorted(seen, key=lambda one: one.created_at, reverse=True)
    return [
        {
            "url": reverse("recovery_case", args=[one.pk]),
            "name": str(one),
            "side": one.get_side_display(),
            "keys": one.keys,
            "at": one.created_at,
            "sign": _SIGNS[State(one.state)],
        }
        for one in rows
    ]


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Step 1, on the backup side: which jobs, and why."""
    viewer = viewer_of(request)
    demand(viewer, "encryption.restore_job")
    form = CaseForm(sent(request), viewer=viewer)
    if form.is_valid():
        data = form.cleaned_data
        try:
            case = cases.ask(data["jobs"], by=viewer, reason=data["reason"], number=data["number"])
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("recovery_case", case.pk)
    context = {
        "form": form,
        "heading": "I have lost the password",
        "lead": "Step 1 of 4: the worker makes a request text. An Enterprise Manager answers it.",
        "submit": "Make the request",
    }
    return render(request, "pages/recovery/form.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def receive(request: HttpRequest) -> HttpResponse:
    """Step 2, on the Enterprise side: the request is taken and checked."""
    viewer = viewer_of(request)
    keysets.check_may_ask(viewer)
    form = ReceiveForm(sent(request), request.FILES or None)
    if form.is_valid():
        try:
            case = answers.receive(form.cleaned_data["text"], by=viewer, number=form.cleaned_data["number"])
        except (Refused, EngineError) as refused:
            form.add_error(None, getattr(refused, "message", "") or str(refused))
        else:
            messages.success(request, "The request is genuine. Ask for its answer; Security decides.")
            return redirect("recovery_case", case.pk)
    context = {
        "form": form,
        "heading": "Password recovery",
        "lead": "Step 2 of 4: paste the backup server's request. It is checked before anything is opened.",
        "submit": "Check it",
        "upload": True,
    }
    return render(request, "pages/recovery/form.html", context, status=400 if form.errors else 200)


@require_safe
def case(request: HttpRequest, row: UUID) -> HttpResponse:
    """One case: where it stands, the text to carry, what comes next."""
    viewer = viewer_of(request)
    return render(request, "pages/recovery/case.html", _context(_seen(row, viewer), viewer, TextForm()))


@require_http_methods(["POST"])
def response(request: HttpRequest, row: UUID) -> HttpResponse:
    """Step 3, on the backup side: the response is taken; the worker opens it."""
    viewer = viewer_of(request)
    found, form = _seen(row, viewer), TextForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            cases.offer_response(found.pk, form.cleaned_data["text"], by=viewer)
        except (Refused, EngineError) as refused:
            form.add_error(None, getattr(refused, "message", "") or str(refused))
        else:
            messages.success(request, "The response is genuine. The worker opens the keys.")
            return redirect("recovery_case", row)
    return render(request, "pages/recovery/case.html", _context(found, viewer, form), status=400)


def _seen(row: UUID, viewer: User) -> RecoveryCase:
    demand(viewer, "encryption.view_encryptionpassword")
    if RecoveryCase.objects.filter(pk=row, side=Side.BACKUP).exists():
        return get_object_or_404(cases.visible(viewer), pk=row)
    return get_object_or_404(RecoveryCase.objects.select_related("server"), pk=row)


def _context(found: RecoveryCase, viewer: User, form: TextForm) -> dict[str, Any]:
    on_backup = found.side == Side.BACKUP
    runs = viewer.is_security or viewer.has_role(Role.ENTERPRISE)
    text = ""
    if on_backup and found.request is not None:
        text = cases.text_of(found)
    elif not on_backup and found.response is not None and runs:
        text = answers.text_of(found)
    return {
        "case": found,
        "sign": _SIGNS[State(found.state)],
        "on_backup": on_backup,
        "text": text,
        "form": form,
        "may_answer": not on_backup and runs and found.state == State.ASKED,
        "may_offer": on_backup and found.state == State.ASKED and viewer.has_perm("encryption.restore_job"),
        "jobs": [job.name for job in selectors.jobs_named(_known(found.jobs))],
        "points": _points(found) if on_backup and found.state == State.OPENED else [],
        "waits": found.state == State.MADE,
    }


def _known(jobs: list[str]) -> list[UUID]:
    return [UUID(text) for text in jobs]


def _points(found: RecoveryCase) -> list[dict[str, Any]]:
    held = RecoveredKeys.objects.filter(pk=found.case, erased_at=None).first()
    if held is None:
        return []
    points = RestorePoint.objects.filter(pk__in=held.points, dropped_at=None).select_related("job")
    return [
        {
            "job": point.job.name,
            "at": point.created_at,
            "kind": point.get_kind_display(),
            "url": f"{reverse('restore', args=[point.pk])}?case={found.case}",
        }
        for point in points[:100]
    ]
