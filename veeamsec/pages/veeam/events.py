"""What Veeam servers told by syslog: the list, and each event as a line."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from approvals.models import ApprovalRequest
from encryption import selectors
from encryption.models import Reconciled, VeeamEvent
from encryption.selectors import reconciliation
from encryption.selectors.reconciliation import Period
from encryption.services.veeam import receptions
from veeamsec.pages import signs
from veeamsec.pages.sheet import Link
from veeamsec.pages.signs import Sign
from veeamsec.pages.viewer import demand, page_of, viewer_of

PAGE = 50
STRANGE = "unknown"
# What the list can be narrowed to, as Veeam calls it.
NUMBERS = {
    31600: "Encryption password added",
    31700: "Encryption password updated",
    31800: "Encryption password deleted",
    31850: "Encryption password verified",
    23050: "Job settings updated",
    42300: "KMS server added",
    42301: "KMS server deleted",
    42302: "KMS server settings updated",
    42400: "Four-eyes authorization enabled",
    42401: "Four-eyes authorization disabled",
    42402: "Four-eyes request created",
    42403: "Four-eyes request approved",
    42404: "Four-eyes request rejected",
    42405: "Four-eyes request expired",
    41810: "Attempt to update a security object failed",
}


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event in a list."""

    number: int
    title: str
    description: str
    who: str
    server: str
    server_url: str
    transport: str
    at: datetime
    received: datetime
    belongs: Sign
    request: Link | None


@require_safe
def events(request: HttpRequest) -> HttpResponse:
    """Every event that was received, newest first."""
    viewer = viewer_of(request)
    demand(viewer, "encryption.view_drift")
    servers = list(selectors.veeam_servers_for(viewer))
    chosen = {
        name: request.GET.get(name, "").strip()[:100] for name in ("server", "number", "user", "from", "to")
    }
    period = period_of(request)
    found = reconciliation.all_events(
        server=_uuid(chosen["server"]),
        strange=chosen["server"] == STRANGE,
        number=int(chosen["number"]) if chosen["number"] in map(str, NUMBERS) else None,
        user=chosen["user"],
        period=period,
    )
    page = page_of(request, found, PAGE)
    context = {
        "servers": [{"value": str(one.pk), "label": one.repository.name} for one in servers],
        "strange": STRANGE,
        "numbers": [{"value": str(number), "label": label} for number, label in NUMBERS.items()],
        "chosen": chosen,
        "narrowed": any(chosen.values()),
        "rows": lines(page),
        "page": page,
        "query": query_of(chosen),
        "listening": receptions.listening(),
        "last": receptions.last(),
    }
    return render(request, "pages/veeam/events.html", context)


def period_of(request: HttpRequest) -> Period:
    """The days that a page is narrowed to, by `from` and `to`, both included; what is no day is left out."""
    since, until = (_day(request.GET.get(name, "")) for name in ("from", "to"))
    return Period(since, until + timedelta(days=1) if until else None)


def query_of(chosen: dict[str, str]) -> str:
    """What the addresses of other pages of a list begin with."""
    said = urlencode({name: value for name, value in chosen.items() if value})
    return f"{said}&" if said else ""


def lines(events: Iterable[VeeamEvent]) -> list[EventLine]:
    """Put events into words; requests are looked up for all of them at once."""
    found = list(events)
    rows = {event.pk: getattr(event, "reconciled", None) for event in found}
    links = links_of(row.request for row in rows.values() if row is not None)
    return [_line(event, rows[event.pk], links) for event in found]


def links_of(requests: Iterable[UUID | None]) -> dict[UUID, Link]:
    """Where each of many requests is shown."""
    rows = ApprovalRequest.objects.filter(pk__in=[one for one in requests if one])
    return {
        pk: Link(f"R-{number}", reverse("request", args=[pk]))
        for pk, number in rows.values_list("pk", "number")
    }


def title_of(number: int) -> str:
    """What Veeam calls an event."""
    return NUMBERS.get(number, f"Event {number}")


def belongs(row: Reconciled | None, *, known: bool = True) -> Sign:
    """Where an event or a difference belongs, as a sign."""
    if not known:
        return Sign(signs.WAIT, "No known server", "alert-triangle", "No connected server has this name.")
    if row is None:
        return Sign(signs.QUIET, "Not judged yet", "", "It is judged within a minute.")
    if row.request is not None:
        return Sign(signs.QUIET, "By request", "check", row.why)
    if row.owner is not None:
        return Sign(signs.QUIET, f"Owner: {row.owner.person.name}", "user-check", row.note)
    return Sign(signs.REFUSE, "Without an owner", "alert-circle", row.why)


def _line(event: VeeamEvent, row: Reconciled | None, links: dict[UUID, Link]) -> EventLine:
    server = event.server
    return EventLine(
        number=event.number,
        title=title_of(event.number),
        description=event.description,
        who=event.user_name,
        server=server.repository.name if server is not None else event.host,
        server_url=reverse("veeam_reconciliation", args=[server.pk]) if server is not None else "",
        transport=event.transport.upper(),
        at=event.happened_at,
        received=event.received_at,
        belongs=belongs(row, known=server is not None),
        request=links.get(row.request) if row is not None and row.request else None,
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _day(text: str) -> datetime | None:
    try:
        found: Any = parse_date(text)
    except ValueError:
        return None
    return datetime(found.year, found.month, found.day, tzinfo=UTC) if found else None
