"""A custodian's page: the copies that one keeps, and the proof that each is the right one."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from audit.errors import Refused
from recovery import rules, selectors
from recovery.models import CustodyProof, CustodyRecord
from recovery.services import custody as services
from veeamsec.pages import signs
from veeamsec.pages.forms.prove import ProveForm
from veeamsec.pages.signs import Sign
from veeamsec.pages.viewer import viewer_of


@require_safe
def custody(request: HttpRequest) -> HttpResponse:
    """The copies that the viewer keeps."""
    viewer = viewer_of(request)
    rows = [_row(record) for record in selectors.custody_for(viewer)]
    return render(request, "pages/custody.html", {"rows": rows})


def _row(record: CustodyRecord) -> dict[str, Any]:
    proof = record.proofs.first()
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
@sensitive_variables("form")
@require_http_methods(["GET", "POST"])
def prove(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """Type the password from one's copy."""
    viewer, form = viewer_of(request), ProveForm(request.POST or None)
    record = get_object_or_404(selectors.custody_for(viewer), pk=record_id)
    if form.is_valid():
        try:
            services.prove(record.pk, form.cleaned_data["password"], by=viewer)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "It is being compared. Look again in a moment.")
            return redirect("custody")
    context = {"row": _row(record), "form": form}
    return render(request, "pages/prove.html", context, status=400 if form.errors else 200)
