"""Jobs: the list, one job with all that is known of it, a run by hand, and its live parts."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from encryption import selectors
from encryption.services import protection
from encryption.services import runs as running
from veeamsec.pages import charts, jobfile, progress, rows, words
from veeamsec.pages.viewer import page_of, viewer_of

RUNS_SHOWN = 6


@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """All jobs that the viewer may see."""
    viewer = viewer_of(request)
    seen = selectors.jobs_for(viewer)
    page = page_of(request, seen)
    encrypted = seen.exclude(password=None).count()
    may_add = viewer.is_staff and viewer.has_perm("encryption.add_job")
    context = {
        "lead": f"{words.count(page.paginator.count, 'job')}, {encrypted:,} of them encrypted.",
        "may_ask": viewer.has_perm("encryption.ask_change_job"),
        "may_add": may_add,
        "rows": rows.job_rows(page),
        "page": page,
        "empty_text": "Make the first one in the console."
        if may_add
        else "A Backup operator makes the first one.",
    }
    return render(request, "pages/jobs.html", context)


@require_safe
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """One job: its sign and the proof of it, restore points, versions, keys, runs."""
    viewer = viewer_of(request)
    found = selectors.job_detail(job_id, viewer)
    page = page_of(request, selectors.restore_points(found))
    return render(request, "pages/job.html", jobfile.of(found, viewer, page) | _runs(job_id, request))


@require_POST
def job_run(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Start a run."""
    running.start_backup(job_id, by=viewer_of(request))
    messages.success(request, "The run is queued.")
    return redirect("job", job_id)


@require_POST
def job_cover(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Have existing points wrapped for the keyset in force too."""
    protection.start_cover(job_id, by=viewer_of(request))
    messages.success(request, "The existing restore points are being protected; no data is read.")
    return redirect("job", job_id)


@require_safe
def job_runs(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The last runs, as a fragment; 286 ends the polling."""
    context = _runs(job_id, request)
    return render(request, "pages/runs.html", context, status=200 if context["busy"] else 286)


def _runs(job_id: UUID, request: HttpRequest) -> dict[str, object]:
    found = selectors.job_detail(job_id, viewer_of(request))
    last = list(selectors.sessions(found)[: charts.RUNS])
    busy = any(one.state in progress.UNDER_WAY for one in last)
    lines = progress.runs(last, RUNS_SHOWN)
    return {"busy": busy, "runs": {"chart": charts.run_bars(last), "rows": lines}}


@require_safe
def rekey_progress(request: HttpRequest, rekey_id: UUID) -> HttpResponse:
    """How far a re-key is, as a fragment; the page is loaded anew when it has ended."""
    viewer = viewer_of(request)
    work = progress.of_rekey(selectors.rekey_for(rekey_id, viewer))
    response = render(request, "pages/progress.html", {"work": work})
    # Only then is the sign another one, everywhere on the page.
    if not work.running:
        response["HX-Refresh"] = "true"
    return response
