"""What was changed behind VeeamSec's back, and what was never encrypted: each to explain or to revert."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Role, User
from approvals.models import ApprovalRequest, RequestTarget
from encryption import selectors
from encryption.models import Drift, Job, VeeamServer
from veeamsec.pages import words
from veeamsec.pages.viewer import demand, page_of, viewer_of

_CLOSED = 20


@require_safe
def drifts(request: HttpRequest) -> HttpResponse:
    """Every change that nothing explains, newest first; below, those that ended."""
    viewer = viewer_of(request)
    demand(viewer, "encryption.view_encryptionpassword")
    seen = selectors.drifts_for(viewer)
    found = seen.filter(closed_at=None).exclude(what__in=Drift.GAPS).order_by("-found_at", "pk")
    page = page_of(request, found)
    number = page.paginator.count
    closed = seen.filter(closed_at__isnull=False).exclude(what__in=Drift.GAPS).order_by("-closed_at")
    lead = "Everything is as it was approved."
    if number:
        lead = f"{words.count(number, 'change')} that no executed request explains. Explain or revert each."
    context = {
        "lead": lead,
        "rows": [line(drift, viewer) for drift in page],
        "closed": [line(drift, viewer) for drift in closed[:_CLOSED]],
        "page": page,
    }
    return render(request, "pages/veeam/drifts.html", context)


def open_of(server: VeeamServer) -> QuerySet[Drift]:
    """Return the open changes of one server that nothing explains."""
    return _of(server).exclude(what__in=Drift.GAPS)


def gaps_of(server: VeeamServer) -> QuerySet[Drift]:
    """Return what is not encrypted on one server, and has no accepted reason."""
    return _of(server).filter(what__in=Drift.GAPS)


def _of(server: VeeamServer) -> QuerySet[Drift]:
    place = server.repository_id
    of_server = Q(job__repository=place) | Q(password__veeam__server=place) | Q(repository=place)
    found = Drift.objects.filter(of_server, closed_at=None).exclude(job__state=Job.State.DELETED)
    return found.select_related("job__repository", "password", "repository").order_by("-found_at", "pk")


def line(drift: Drift, viewer: User) -> dict[str, Any]:
    """Return one difference as pages draw it."""
    gap = drift.what in Drift.GAPS
    asking = RequestTarget.objects.filter(ref=drift.pk, open=True).select_related("request").first()
    free = drift.closed_at is None and asking is None
    at_veeam = drift.what.startswith("veeam.")
    may_revert = free and at_veeam and not gap and viewer.has_perm("encryption.ask_change_job")
    may_explain = free and may_explain_of(viewer)
    return {
        "name": name_of(drift),
        "url": _url(drift),
        "text": drift.text,
        "found_at": drift.found_at,
        "closed_at": drift.closed_at,
        "explained": _explained(drift),
        "request": _link(asking.request) if asking else None,
        "explain": f"{reverse('ask_explain')}?drift={drift.pk}" if may_explain else "",
        "revert": f"{reverse('ask_revert')}?drift={drift.pk}" if may_revert else "",
        "gap": gap,
        "untold": at_veeam and not gap and drift.closed_at is None and not drift.by,
    }


def may_explain_of(viewer: User) -> bool:
    """Whether somebody may ask that a change be accepted: a member of Security, or an administrator."""
    facts = viewer.facts()
    return facts.is_security or (facts.active and facts.is_human and Role.ADMINISTRATOR in facts.roles)


def name_of(drift: Drift) -> str:
    """Return what a drift is about, as people call it."""
    if drift.job is not None:
        return drift.job.name
    if drift.password is not None:
        return drift.password.hint
    detail = drift.found.get("name", "")
    place = drift.repository.name if drift.repository is not None else ""
    return f"{detail} · {place}" if detail else place


def _url(drift: Drift) -> str:
    if drift.job_id is not None:
        return reverse("job", args=[drift.job_id])
    if drift.password_id is not None:
        return reverse("password", args=[drift.password_id])
    return reverse("veeam_server", args=[drift.repository_id])


def _explained(drift: Drift) -> dict[str, Any] | None:
    found = ApprovalRequest.objects.filter(pk=drift.explained_by).first() if drift.explained_by else None
    return _link(found) if found else None


def _link(request: ApprovalRequest) -> dict[str, Any]:
    return {"url": reverse("request", args=[request.pk]), "name": f"R-{request.number}"}
