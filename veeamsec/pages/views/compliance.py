"""The analyzer's pages: everything at a glance, one finding, and a run now."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from approvals.models import Suppression
from approvals.services.kinds import suppressions
from compliance import selectors
from compliance.checks import CHECKS, Status
from compliance.services import analyzing
from veeamsec.pages import analysis, jobfile
from veeamsec.pages.asking import may_ask_people
from veeamsec.pages.viewer import demand, viewer_of

VIEWS = {"checks": "By check", "controls": "By control", "jobs": "By job"}
HISTORY = 12
MENDABLE = (Status.NOT_IMPLEMENTED, Status.UNABLE)


@require_safe
def compliance(request: HttpRequest) -> HttpResponse:
    """What the last run found, by check, by control or by job, and how it was before."""
    viewer, now = viewer_of(request), timezone.now()
    demand(viewer, selectors.FINDINGS)
    runs = selectors.runs(analysis.TREND)
    findings = list(selectors.findings_of(runs[0])) if runs else []
    show = request.GET.get("show", "checks")
    show = show if show in VIEWS else "checks"
    rows = analysis.rows_of(findings, now)
    groups = {"controls": analysis.by_control, "jobs": analysis.by_job}
    context = {
        "newest": runs[0] if runs else None,
        "waits": selectors.waiting(),
        "may_run": may_ask_people(viewer),
        "tiles": analysis.tiles(rows),
        "trend": analysis.trend(runs),
        "legend": analysis.legend(runs) if runs else [],
        "show": show,
        "tabs": [
            {"url": f"{reverse('compliance')}?show={name}", "words": label, "on": name == show}
            for name, label in VIEWS.items()
        ],
        "rows": rows,
        "groups": groups[show](findings, now) if show in groups else [],
    }
    return render(request, "pages/compliance.html", context)


@require_safe
def finding(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    """One finding: why it matters, how to mend it, and on what it rests."""
    viewer, now = viewer_of(request), timezone.now()
    found = selectors.finding_for(finding_id, viewer)
    check, status = CHECKS.get(found.code), found.status(now)
    given = [] if found.suppression is None else [found.suppression]
    suppression = Suppression.objects.filter(pk__in=given).select_related("request").first()
    past = selectors.history_of(found.code, HISTORY)
    waits = jobfile.open_request(suppressions.ref_of(found.code))
    context = {
        "finding": found,
        "check": check,
        "sign": analysis.sign_of(status, found.severity),
        "evidence": analysis.evidence_of(found),
        "suppression": suppression if status == Status.SUPPRESSED else None,
        "newer": past[0] if past and past[0].pk != found.pk else None,
        "history": [
            {"finding": one, "sign": analysis.sign_of(one.status(now), one.severity)} for one in past
        ],
        "open_request": waits,
        "may_suppress": status in MENDABLE and not waits and may_ask_people(viewer),
    }
    return render(request, "pages/finding.html", context)


@require_POST
def run(request: HttpRequest) -> HttpResponse:
    """Have everything looked at now."""
    viewer = viewer_of(request)
    demand(viewer, selectors.FINDINGS)
    analyzing.ask(by=viewer)
    messages.success(request, "The worker looks at everything now; the result stands here within a minute.")
    return redirect("compliance")
