"""Alarms: what a person has to look at, who looks, and what has ended."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import Invalid, NotEligible
from accounts.services import alarms as answering
from audit import selectors
from audit.alarms import Kind
from audit.models import Alarm
from veeamsec.pages import alarming, words
from veeamsec.pages.veeam.events import query_of
from veeamsec.pages.viewer import demand, page_of, viewer_of

PAGE = 20
STATES = {
    selectors.OPEN: "open",
    Alarm.State.RAISED: "nobody looks yet",
    Alarm.State.ACKNOWLEDGED: "somebody looks",
    Alarm.State.RESOLVED: "ended",
}


@require_safe
def alarms(request: HttpRequest) -> HttpResponse:
    """Alarms of one state, the critical ones first."""
    viewer = viewer_of(request)
    demand(viewer, "audit.view_alarm")
    state, kind = request.GET.get("state", ""), request.GET.get("kind", "")
    chosen = {"state": state if state in STATES else "", "kind": kind if kind in set(Kind) else ""}
    found = selectors.alarms(state=chosen["state"] or selectors.OPEN, kind=chosen["kind"] or None)
    page = page_of(request, found, PAGE)
    context = {
        "lead": _lead(),
        "states": [{"value": value, "label": label} for value, label in STATES.items()],
        "kinds": [{"value": one.value, "label": one.heading} for one in sorted(Kind, key=_heading)],
        "chosen": chosen,
        "narrowed": any(chosen.values()),
        "ended": chosen["state"] == Alarm.State.RESOLVED,
        "rows": alarming.lines(page, viewer),
        "page": page,
        "query": query_of(chosen),
        "longest": answering.MAX_NOTE,
    }
    return render(request, "pages/alarms.html", context)


@require_POST
def alarm_acknowledge(request: HttpRequest, alarm_id: UUID) -> HttpResponse:
    """Take an alarm on."""
    return _answered(request, alarm_id, end=False)


@require_POST
def alarm_close(request: HttpRequest, alarm_id: UUID) -> HttpResponse:
    """End an alarm of something that is over."""
    return _answered(request, alarm_id, end=True)


def _answered(request: HttpRequest, alarm_id: UUID, *, end: bool) -> HttpResponse:
    viewer, note = viewer_of(request), request.POST.get("note", "")
    demand(viewer, "audit.view_alarm")
    try:
        if end:
            answering.close(alarm_id, by=viewer, note=note, interactive=True)
        else:
            answering.acknowledge(alarm_id, by=viewer, note=note)
    except Invalid as refused:
        messages.error(request, str(refused))
    except NotEligible as refused:
        messages.error(request, f"{refused} Nothing changed.")
    else:
        messages.success(request, "The alarm is ended." if end else "The others see that you look into it.")
    return redirect("alarms")


def _lead() -> str:
    raised = selectors.alarms(state=Alarm.State.RAISED).count()
    seen = selectors.alarms(state=Alarm.State.ACKNOWLEDGED).count()
    if not raised + seen:
        return "Nothing needs an answer."
    loud = f"{words.count(raised, 'alarm')} {'needs' if raised == 1 else 'need'} an answer."
    looked = f"Somebody looks into {words.count(seen, 'other') if raised else words.count(seen, 'alarm')}."
    return " ".join(part for part in (loud if raised else "", looked if seen else "") if part)


def _heading(kind: Kind) -> str:
    return kind.heading
