"""The log and the alarms."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from audit import selectors
from audit.models import Alarm
from veeamsec.pages import alarming, entries, words
from veeamsec.pages.tiles import Tile
from veeamsec.pages.viewer import demand, page_of, viewer_of

PAGE, CLOSED = 50, 20


@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """Entries, newest first, with how the log stands."""
    demand(viewer_of(request), "audit.view_entry")
    event, subject = request.GET.get("event", ""), request.GET.get("subject", "").strip()[:128]
    event = event if event in entries.GROUPS else ""
    page = page_of(request, selectors.entries(event=event or None, subject=subject or None), PAGE)
    chosen = {"event": event, "subject": subject}
    context = {
        "tiles": _tiles(),
        "groups": [{"value": value, "label": label} for value, label in entries.GROUPS.items()],
        "chosen": chosen,
        "rows": entries.lines(page),
        "page": page,
        "query": urlencode({name: value for name, value in chosen.items() if value} | {"": ""}).removesuffix(
            "="
        ),
    }
    return render(request, "pages/log.html", context)


def _tiles() -> list[Tile]:
    now, head, found = timezone.now(), selectors.head(), selectors.last_verification()
    sealed = Tile("Sealed", "not yet", note="the worker signs a checkpoint within a minute")
    if head is not None:
        note = f"signed {words.ago(head.time, now)}; root {words.short(head.root)}"
        sealed = Tile("Sealed", f"{head.size:,}", "entries", note)
    if found is None:
        return [sealed, Tile("Verified", "not yet", note="manage.py verify_audit does it now")]
    good = not found.findings
    note = f"{words.ago(found.at, now)}, {words.count(found.checkpoints, 'checkpoint')} compared"
    figure = "Unaltered" if good else words.count(len(found.findings), "fault")
    verified = Tile(
        "Verified",
        figure,
        note=note,
        icon="circle-check" if good else "alert-circle",
        tone="seal" if good else "refuse",
    )
    return [sealed, verified]


@require_safe
def alarms(request: HttpRequest) -> HttpResponse:
    """What a person has to look at, and what has ended."""
    viewer = viewer_of(request)
    demand(viewer, "audit.view_alarm")
    open_ones = alarming.open_alarms(viewer)
    closed = Alarm.objects.filter(state=Alarm.State.RESOLVED).order_by("-resolved_at")[:CLOSED]
    loud = f"{words.count(len(open_ones), 'alarm')} {'needs' if len(open_ones) == 1 else 'need'} an answer."
    context = {
        "lead": loud if open_ones else "Nothing needs an answer.",
        "open": open_ones,
        "closed": alarming.lines(closed),
    }
    return render(request, "pages/alarms.html", context)
