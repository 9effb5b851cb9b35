"""A custodian's page: the copies that one keeps, and the proof that each is the right one."""

import base64
import binascii
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.models import ApprovalRequest, EarlyProof
from approvals.selectors import said_in
from approvals.services import proving
from audit.errors import Refused
from recovery import rules, selectors
from recovery.models import CustodyProof, CustodyRecord
from recovery.services import custody as services
from recovery.services import releases
from veeamsec.pages import signs
from veeamsec.pages.forms.prove import ProveForm
from veeamsec.pages.signs import Sign
from veeamsec.pages.viewer import sent, viewer_of


@require_safe
def custody(request: HttpRequest) -> HttpResponse:
    """The copies that the viewer keeps."""
    viewer = viewer_of(request)
    rows = [_row(record) for record in selectors.custody_for(viewer)]
    asked = [_asked(one) for one in proving.asked_of(viewer)]
    context = {"rows": rows, "asked": asked, "releases": selectors.releases_for(viewer)}
    return render(request, "pages/custody.html", context)


@require_safe
def release(request: HttpRequest, release_id: UUID) -> HttpResponse:
    """A password that is handed over: the page makes a key, and shows what is sealed to it, once."""
    found = get_object_or_404(selectors.releases_for(viewer_of(request)), pk=release_id)
    return render(request, "pages/release.html", {"release": found})


@require_POST
def release_key(request: HttpRequest, release_id: UUID) -> HttpResponse:
    """Take the open page's key."""
    try:
        public = base64.b64decode(request.POST.get("public_key", ""), validate=True)
    except (binascii.Error, ValueError):
        return JsonResponse({"detail": "This is no key of a page."}, status=400)
    releases.open_page(release_id, public, by=viewer_of(request))
    return JsonResponse({}, status=202)


@never_cache
@require_POST
def release_take(request: HttpRequest, release_id: UUID) -> HttpResponse:
    """Give what was sealed to the page, once."""
    sealed = releases.take(release_id, by=viewer_of(request))
    return JsonResponse(sealed or {}, status=200 if sealed else 202)


def _row(record: CustodyRecord) -> dict[str, Any]:
    proof = record.own_proofs().first()
    marks = [mark for mark, on in (("off-site", record.offsite), ("offline", record.offline)) if on]
    return {
        "id": record.pk,
        "name": f"{record.version.hint} · version {record.version.number}",
        "where": ", ".join([record.place, record.medium, *marks]),
        "sign": _sign(proof),
        "at": proof.offered_at if proof else None,
    }


def _sign(proof: CustodyProof | None) -> Sign:
    if proof is None:
        return Sign(signs.WAIT, "Not proved yet", "clock")
    if proof.found == CustodyProof.Found.WAITING:
        return Sign(signs.ACT, "Being compared", "refresh")
    if proof.found == CustodyProof.Found.WRONG:
        return Sign(signs.REFUSE, "Not the right one", "alert-circle")
    old = proof.judged_at is None or timezone.now() - proof.judged_at > rules.PROVED_WITHIN
    return Sign(signs.WAIT, "Proved long ago", "clock") if old else Sign(signs.QUIET, "Proved", "check")


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def prove(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """Type the password from one's copy."""
    viewer = viewer_of(request)
    record = get_object_or_404(selectors.custody_for(viewer), pk=record_id)
    return _typed(request, _row(record), partial(services.prove, record.pk, by=viewer))


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def prove_asked(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Type the new password of a request from one's copy, before it is executed."""
    viewer = viewer_of(request)
    found = next((one for one in proving.asked_of(viewer) if one.pk == request_id), None)
    if found is None:
        raise Http404
    return _typed(request, _asked(found), partial(proving.offer, found.pk, by=viewer))


@sensitive_variables("form")
def _typed(request: HttpRequest, row: dict[str, Any], offer: Callable[[str], Any]) -> HttpResponse:
    """Take what was typed from a copy and hand it to be compared; a refusal stands above the form."""
    form = ProveForm(sent(request))
    if form.is_valid():
        try:
            offer(form.cleaned_data["password"])
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "It is being compared. Look again in a moment.")
            return redirect("custody")
    context = {"row": row, "form": form}
    return render(request, "pages/prove.html", context, status=400 if form.errors else 200)


def _asked(request: ApprovalRequest) -> dict[str, Any]:
    said, newest = said_in(request), request.early_proofs.first()
    wrong = newest is not None and newest.found == EarlyProof.Found.WRONG
    waits = newest is not None and newest.found == EarlyProof.Found.WAITING
    sign = Sign(signs.WAIT, "Waits for your proof", "clock")
    if wrong:
        sign = Sign(signs.REFUSE, "Not the right one", "alert-circle")
    elif waits:
        sign = Sign(signs.ACT, "Being compared", "refresh")
    return {
        "id": request.pk,
        "name": f"{said.change['hint']} · version {said.change['version']}",
        "where": f"{request}, asked by {request.asker.person.name}: begun once a custodian proved it",
        "sign": sign,
    }
