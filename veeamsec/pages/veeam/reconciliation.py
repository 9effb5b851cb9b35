"""The reconciliation of one Veeam server: both populations, the exceptions with their owners, the gaps."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import NotEligible
from encryption.errors import ServerRefused, Unknown
from encryption.models import Reconciled, VeeamDifference, VeeamReception, VeeamServer
from encryption.selectors import reconciliation
from encryption.selectors.reconciliation import Period, Population
from encryption.services.veeam import exceptions, receptions
from veeamsec.pages import words
from veeamsec.pages.sheet import Link
from veeamsec.pages.signs import Sign
from veeamsec.pages.tiles import Tile
from veeamsec.pages.veeam import events
from veeamsec.pages.viewer import demand, page_of, viewer_of

UNOWNED, OWNED, SETTLED = "unowned", "owned", "settled"
_SHOWN = {
    UNOWNED: "Exceptions without an owner",
    OWNED: "Exceptions with an owner",
    SETTLED: "Settled by requests",
}
_STRETCHES = 20
# The page shows the newest; the sheet has every one.
_GAPS = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One event or difference, and where it belongs."""

    id: UUID
    title: str
    text: str
    who: str
    at: datetime
    why: str
    note: str
    belongs: Sign
    request: Link | None
    drift: bool


@require_safe
def reconciliation_page(request: HttpRequest, server_id: UUID) -> HttpResponse:
    """Both populations with their counts, what nothing explains, and every gap in reception."""
    viewer = viewer_of(request)
    demand(viewer, "encryption.view_drift")
    server, period = reconciliation.server_for(server_id, viewer), events.period_of(request)
    shown = request.GET.get("show", UNOWNED)
    shown = shown if shown in _SHOWN else UNOWNED
    page = page_of(request, _rows(server, period, shown))
    counted = populations(server, period)
    gaps = receptions.gaps(period.since)
    chosen = {name: request.GET.get(name, "")[:20] for name in ("from", "to")}
    may_answer = exceptions.may_answer(viewer)
    context = {
        "server": server,
        "tiles": _tiles(counted, gaps),
        "populations": counted,
        "tabs": _tabs(shown, events.query_of(chosen)),
        "title": _SHOWN[shown],
        "show": shown,
        "rows": lines(page),
        "page": page,
        "query": events.query_of({"show": shown} | chosen),
        "chosen": chosen,
        "gaps": list(reversed(gaps))[:_GAPS],
        "more_gaps": max(len(gaps) - _GAPS, 0),
        "stretches": VeeamReception.objects.order_by("-began_at")[:_STRETCHES],
        "owners": exceptions.answerable() if may_answer and shown != SETTLED else [],
        "viewer": viewer,
        "longest": exceptions.LONGEST_NOTE,
    }
    return render(request, "pages/veeam/reconciliation.html", context)


@require_POST
def reconciliation_assign(request: HttpRequest, server_id: UUID) -> HttpResponse:
    """Give the chosen exceptions an owner."""
    viewer = viewer_of(request)
    demand(viewer, "encryption.view_drift")
    server = reconciliation.server_for(server_id, viewer)
    if not exceptions.may_answer(viewer):
        raise PermissionDenied("Security and Backup administrators give exceptions their owner.")
    try:
        chosen = {UUID(one) for one in request.POST.getlist("exception")}
        count = exceptions.assign(
            chosen,
            by=viewer,
            owner=UUID(request.POST.get("owner", "")),
            note=request.POST.get("note", ""),
            server=server.pk,
        )
    except ValueError:
        messages.error(request, "Choose an owner.")
    except (NotEligible, ServerRefused, Unknown) as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{words.count(count, 'exception')} got an owner.")
    return redirect("veeam_reconciliation", server.pk)


def populations(server: VeeamServer, period: Period) -> list[tuple[str, Population]]:
    """The two populations by name."""
    return [
        ("Events that Veeam sent", reconciliation.population_of(reconciliation.events_of(server, period))),
        (
            "Changes that readings found",
            reconciliation.population_of(reconciliation.differences_of(server, period)),
        ),
    ]


def lines(rows: Iterable[Reconciled]) -> list[Line]:
    """Put rows into words; requests are looked up for all of them at once."""
    found = list(rows)
    links = events.links_of(row.request for row in found)
    return [_line(row, links) for row in found]


def _line(row: Reconciled, links: dict[UUID, Link]) -> Line:
    event, difference = row.event, row.difference
    title, text, who = ("", "", "")
    at = row.settled_at
    if event is not None:
        title, text, who = events.title_of(event.number), event.description, event.user_name
        at = event.happened_at
    elif difference is not None:
        title, text = VeeamDifference.What(difference.what).label, thing_of(difference)
        at = difference.happened_at or difference.found_at
        # Whom Veeam's own event names, and nobody else.
        who = (row.drift.found.get("actor") or {}).get("user", "") if row.drift is not None else ""
    return Line(
        id=row.pk,
        title=title,
        text=text,
        who=who,
        at=at,
        why=row.why,
        note=row.note,
        belongs=events.belongs(row),
        request=links.get(row.request) if row.request else None,
        drift=row.drift is not None and row.drift.closed_at is None,
    )


def thing_of(difference: VeeamDifference) -> str:
    """What a difference is about, as people call it."""
    if difference.job is not None:
        return str(difference.job.name)
    return str(difference.password.hint) if difference.password is not None else ""


def _rows(server: VeeamServer, period: Period, shown: str) -> Any:
    if shown == SETTLED:
        return reconciliation.settled_of(server, period)
    return reconciliation.exceptions_of(server, period).filter(owner__isnull=shown == UNOWNED)


def _tabs(shown: str, query: str) -> list[dict[str, Any]]:
    return [
        {"words": label, "url": f"?{query}show={name}", "on": name == shown} for name, label in _SHOWN.items()
    ]


def _tiles(counted: list[tuple[str, Population]], gaps: list[receptions.Gap]) -> list[Tile]:
    both = [population for _, population in counted]
    total, unowned = sum(one.total for one in both), sum(one.unowned for one in both)
    settled, waiting = sum(one.settled for one in both), sum(one.waiting for one in both)
    return [
        Tile(
            "Belongs to a request",
            f"{settled:,}",
            f"of {total:,}",
            note=f"{waiting:,} not judged yet" if waiting else "",
            done=settled,
            total=total,
        ),
        Tile(
            "Exceptions with an owner",
            f"{sum(one.owned for one in both):,}",
            note="a person answers for each",
            href=f"?show={OWNED}",
        ),
        Tile(
            "Exceptions without an owner",
            f"{unowned:,}",
            note="read them, and give each an owner" if unowned else "none",
            href=f"?show={UNOWNED}",
            tone="refuse" if unowned else "",
            icon="alert-circle" if unowned else "",
        ),
        _listening(gaps),
    ]


def _listening(gaps: list[receptions.Gap]) -> Tile:
    if not receptions.ever():
        note = "the receiver of events never ran"
        return Tile("Reception", "Not yet", note=note, tone="wait", icon="alert-triangle")
    lost = words.duration(sum(gap.seconds for gap in gaps))
    note = f"{words.count(len(gaps), 'gap')}, {lost} together" if gaps else "without a gap"
    if receptions.listening() is None:
        return Tile("Reception", "Nobody listens", note=note, tone="refuse", icon="alert-circle")
    return Tile("Reception", "Listening", note=note, href="#gaps" if gaps else "")
