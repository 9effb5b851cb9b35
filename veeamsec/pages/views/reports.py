"""Reports: which there are, one of them for a period, and those that the worker has made."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance import selectors
from compliance.api.reports import file_answer, sheet_answer
from compliance.errors import Invalid, NotFound
from compliance.models import Report
from compliance.reports import catalogue, formats, sheet
from compliance.services import reporting, schedules
from veeamsec.pages.forms.reports import ReportForm, ScheduleForm
from veeamsec.pages.viewer import demand, sent, viewer_of

# A quarter: what is looked at in most houses.
_DAYS = 90
_FILES = 20
# What tells two files of one report apart.
_TELLING = ("day", "request", "since", "until")
_TONES = {Report.State.WAITING: "act", Report.State.MADE: "", Report.State.FAILED: "refuse"}


@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """Which reports there are, one's own files, and who is told what."""
    viewer = viewer_of(request)
    demand(viewer, catalogue.PERMISSION)
    files = selectors.reports_for(viewer).exclude(state=Report.State.ERASED)[:_FILES]
    context = {
        "kinds": catalogue.KINDS.values(),
        "files": [
            {"report": one, "title": _title(one), "tone": _TONES[Report.State(one.state)]} for one in files
        ],
        "schedules": [
            {
                "id": one.pk,
                "title": catalogue.KINDS[one.name].title if one.name in catalogue.KINDS else one.name,
                "every": one.get_every_display(),
                "told": ", ".join(user.person.name for user in one.recipients.all()),
                "next_at": one.next_at,
                "by": one.by.person.name,
            }
            for one in selectors.schedules()
        ],
    }
    return render(request, "pages/reports/list.html", context)


def _title(report: Report) -> str:
    title = catalogue.KINDS[report.name].title if report.name in catalogue.KINDS else report.name
    asked = " to ".join(value for name, value in sorted(report.asked.items()) if name in _TELLING)
    return f"{title}, {asked}" if asked else title


@require_safe
def report(request: HttpRequest, name: str) -> HttpResponse:
    """The form, and under it the report once it is filled in."""
    viewer = viewer_of(request)
    reporting.demand(viewer)
    kind = catalogue.kind_of(name)
    form = ReportForm(kind, viewer, initial=_initial() | request.GET.dict())
    # A link that names a job alone fills in the form.
    if asked := not kind.wants or any(name in request.GET for name in form.needed):
        form = ReportForm(kind, viewer, request.GET)
    context = {"kind": kind, "form": form}
    if asked and form.is_valid():
        try:
            found = reporting.read(name, form.wanted, by=viewer, form="html")
        except (Invalid, NotFound) as refused:
            form.add_error(None, str(refused))
        else:
            query = urlencode(form.wanted)
            context |= {
                "report": formats.on_page(found),
                "hidden": form.wanted.items(),
                "csv": f"{reverse('report_csv', args=[name])}?{query}",
                "json": f"{reverse('api-report', args=[name])}?{query}",
            }
    return render(request, "pages/reports/report.html", context, status=400 if form.errors else 200)


def _initial() -> dict[str, Any]:
    today = timezone.now().date()
    return {"since": today - timedelta(days=_DAYS - 1), "until": today, "day": today}


@require_safe
def report_csv(request: HttpRequest, name: str) -> HttpResponse:
    """One table as CSV."""
    found = reporting.read(name, request.GET.dict(), by=viewer_of(request), form="csv")
    table = found.table(request.GET.get("table", ""))
    if table is None:
        raise NotFound("There is no such table.")
    return sheet_answer(found.name, table.slug, sheet.csv_of(table))


@require_POST
def report_make(request: HttpRequest, name: str) -> HttpResponse:
    """Have it made as a file by the worker."""
    form = Report.Form.PACK if "pack" in request.POST else Report.Form.PDF
    made = reporting.order(name, request.POST.dict(), by=viewer_of(request), form=form)
    return redirect("report_made", made.pk)


@require_safe
def made(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """One report as a file: how far it is, and where it is taken."""
    found = reporting.get(report_id, viewer_of(request))
    return render(request, "pages/reports/made.html", _made(found))


@require_safe
def made_progress(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """How far it is, as a fragment; 286 ends the polling."""
    found = reporting.get(report_id, viewer_of(request))
    status = 200 if found.state == Report.State.WAITING else 286
    return render(request, "pages/reports/made_state.html", _made(found), status=status)


def _made(found: Report) -> dict[str, object]:
    kind = catalogue.kind_of(found.name)
    return {
        "report": found,
        "title": _title(found),
        "waiting": found.state == Report.State.WAITING,
        "ready": found.state == Report.State.MADE,
        "read_url": f"{reverse('report', args=[kind.name])}?{urlencode(found.asked)}",
    }


@require_safe
def made_file(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """The file itself."""
    return file_answer(reporting.take(report_id, by=viewer_of(request)))


@require_http_methods(["GET", "POST"])
def schedule_new(request: HttpRequest) -> HttpResponse:
    """Have a report told again and again."""
    viewer = viewer_of(request)
    reporting.demand(viewer)
    form = ScheduleForm(sent(request), initial={"recipients": [viewer.pk]})
    if form.is_valid():
        data = form.cleaned_data
        try:
            schedules.make(
                data["report"], data["every"], [UUID(one) for one in data["recipients"]], by=viewer
            )
        except Invalid as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "They are told by mail from now on.")
            return redirect("reports")
    return render(request, "pages/reports/schedule.html", {"form": form}, status=400 if form.errors else 200)


@require_POST
def schedule_end(request: HttpRequest, schedule_id: UUID) -> HttpResponse:
    """Tell it no more."""
    schedules.end(schedule_id, by=viewer_of(request))
    messages.success(request, "It is not told any more.")
    return redirect("reports")
