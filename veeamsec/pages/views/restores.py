"""Restoring a point in time, and watching a run or restore."""

from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_safe

from audit.errors import Refused
from encryption import selectors
from encryption.models import JobSession, RestorePoint
from encryption.services import runs
from veeamsec.pages import progress
from veeamsec.pages.forms.restore import RestoreForm
from veeamsec.pages.viewer import viewer_of


@require_http_methods(["GET", "POST"])
def restore(request: HttpRequest, point_id: UUID) -> HttpResponse:
    """Ask where to restore a point in time, and start."""
    viewer = viewer_of(request)
    point = selectors.restore_point_for(point_id, viewer)
    if not selectors.may(viewer, "restore", point.job):
        raise PermissionDenied("You may not restore this.")
    suggested = (
        settings.VEEAMSEC_HOME
        / "restores"
        / f"{slugify(point.job.name) or 'restore'}-{point.created_at:%Y%m%d-%H%M}"
    )
    given = {"to": str(suggested), "case": request.GET.get("case", "")}
    form = RestoreForm(request.POST if request.method == "POST" else None, initial=given)
    if request.method == "POST" and form.is_valid():
        try:
            session = runs.start_restore(point.pk, by=viewer, **form.cleaned_data)
            return redirect("session", session.pk)
        except Refused as refused:
            form.add_error("to", str(refused))
    context = {
        "form": form,
        "point": point,
        "job": point.job,
        "job_url": reverse("job", args=[point.job_id]),
        "opens_words": _opens(point),
        "roots": settings.VEEAMSEC_ROOTS,
    }
    return render(request, "pages/restore.html", context, status=400 if form.errors else 200)


def _opens(point: RestorePoint) -> str:
    version = point.password_version
    return f"opens with “{version.hint}”, version {version.number}" if version else "not encrypted"


@require_safe
def session(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """One run, restore or verification."""
    found = _session(request, session_id)
    so_far = progress.of_session(found)
    context = {
        "id": found.pk,
        "job": found.job,
        "job_url": reverse("job", args=[found.job_id]),
        "kind": so_far.title,
        "heading": f"{so_far.title} of {found.job.name}",
        "progress": so_far,
    }
    return render(request, "pages/session.html", context)


@require_safe
def session_progress(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """How far it is, as a fragment; 286 ends the polling."""
    so_far = progress.of_session(_session(request, session_id))
    status = 200 if so_far.running else 286
    return render(request, "pages/session_progress.html", {"progress": so_far}, status=status)


def _session(request: HttpRequest, session_id: UUID) -> JobSession:
    seen = JobSession.objects.filter(job__in=selectors.jobs_for(viewer_of(request))).select_related("job")
    return get_object_or_404(seen, pk=session_id)
