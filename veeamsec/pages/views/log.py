"""The log, as it is proved and as events that somebody watches."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from audit import selectors
from audit.events import Event, Severity
from veeamsec.pages import entries, words
from veeamsec.pages.tiles import Tile
from veeamsec.pages.veeam.events import query_of
from veeamsec.pages.viewer import demand, page_of, viewer_of

PAGE = 50


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
def events(request: HttpRequest) -> HttpResponse:
    """The log as events: how grave, what, and Veeam's number; with `follow` it is fetched anew by itself."""
    demand(viewer_of(request), "audit.view_entry")
    return render(request, "pages/events.html", _events(request))


@require_safe
def event_rows(request: HttpRequest) -> HttpResponse:
    """The rows of that page alone, for who follows."""
    demand(viewer_of(request), "audit.view_entry")
    return render(request, "pages/event_rows.html", _events(request))


def _events(request: HttpRequest) -> dict[str, Any]:
    asked = {
        name: request.GET.get(name, "").strip()[:64] for name in ("severity", "event", "number", "follow")
    }
    chosen = asked | {
        "severity": asked["severity"] if asked["severity"] in set(Severity) else "",
        "event": asked["event"] if asked["event"] in entries.GROUPS else "",
        "follow": "1" if asked["follow"] == "1" else "",
    }
    wanted = _wanted(chosen)
    found = selectors.entries(event=chosen["event"] or None, events=wanted)
    page = page_of(request, found, PAGE)
    return {
        "severities": [one.value for one in Severity],
        "groups": [{"value": value, "label": label} for value, label in entries.GROUPS.items()],
        "chosen": chosen,
        "narrowed": any(chosen[name] for name in ("severity", "event", "number")),
        "rows": entries.lines(page),
        "page": page,
        "now": timezone.now(),
        "query": query_of(chosen),
        "rest": query_of(chosen | {"follow": ""}),
        "follows": bool(chosen["follow"]) and page.number == 1,
    }


def _wanted(chosen: dict[str, str]) -> list[Event] | None:
    """The events that a page is narrowed to by severity and by a number, ours or Veeam's."""
    if not chosen["severity"] and not chosen["number"]:
        return None
    found = selectors.at_least(Severity(chosen["severity"] or Severity.INFO))
    number = chosen["number"]
    return [event for event in found if not number or number in (str(event.number), str(event.veeam))]
