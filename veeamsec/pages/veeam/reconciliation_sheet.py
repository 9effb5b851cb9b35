"""The reconciliation of one Veeam server as CSV: counts, every event and difference, every gap."""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from encryption.models import Reconciled, VeeamDifference, VeeamEvent, VeeamServer
from encryption.selectors import reconciliation
from encryption.selectors.reconciliation import Period
from encryption.services.veeam import receptions
from veeamsec.pages import words
from veeamsec.pages.veeam import events
from veeamsec.pages.veeam.reconciliation import populations, thing_of
from veeamsec.pages.viewer import demand, viewer_of

_BATCH = 500
_HEAD = (
    "record",
    "id",
    "time",
    "kind",
    "subject",
    "name",
    "user",
    "text",
    "belongs_to",
    "request",
    "owner",
    "note",
    "why",
)
_PARTS = {
    "total": "all",
    "settled": "settled by request",
    "owned": "exceptions with an owner",
    "unowned": "exceptions without an owner",
    "waiting": "not judged yet",
}


class _Echo:
    """A file that hands every line on."""

    def write(self, value: str) -> str:
        """Return it."""
        return value


@require_safe
def reconciliation_export(request: HttpRequest, server_id: UUID) -> StreamingHttpResponse:
    """Everything that the page shows, line by line."""
    viewer = viewer_of(request)
    demand(viewer, "encryption.view_drift")
    server = reconciliation.server_for(server_id, viewer)
    lines = _lines(server, events.period_of(request))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="reconciliation.csv"'
    return response


def _lines(server: VeeamServer, period: Period) -> Iterator[str]:
    writer = csv.writer(_Echo())
    rows: list[Iterator[dict[str, Any]]] = [
        _counts(server, period),
        _gaps(period),
        _events(server, period),
        _differences(server, period),
    ]
    yield writer.writerow(_HEAD)
    for part in rows:
        for row in part:
            yield writer.writerow([words.cell(str(row.get(name, ""))) for name in _HEAD])


def _counts(server: VeeamServer, period: Period) -> Iterator[dict[str, Any]]:
    for name, population in populations(server, period):
        for part, label in _PARTS.items():
            yield {"record": "count", "kind": name, "name": label, "text": getattr(population, part)}


def _gaps(period: Period) -> Iterator[dict[str, Any]]:
    for gap in receptions.gaps(period.since):
        until = _time(gap.until) if gap.until else "it lasts"
        yield {"record": "gap", "time": _time(gap.since), "kind": "nobody listened", "text": f"until {until}"}


def _events(server: VeeamServer, period: Period) -> Iterator[dict[str, Any]]:
    rows = reconciliation.events_of(server, period).select_related("reconciled__owner__person")
    for batch in _batches(rows.iterator(chunk_size=_BATCH)):
        names = _requests(batch)
        for event in batch:
            yield {
                "record": "event",
                "id": event.pk,
                "time": _time(event.happened_at),
                "kind": event.number,
                "subject": event.subject,
                "name": event.name,
                "user": event.user_name,
                "text": event.description,
            } | _where(getattr(event, "reconciled", None), names)


def _differences(server: VeeamServer, period: Period) -> Iterator[dict[str, Any]]:
    rows = reconciliation.differences_of(server, period).select_related(
        "job", "password", "reconciled__owner__person", "reconciled__drift"
    )
    for batch in _batches(rows.iterator(chunk_size=_BATCH)):
        names = _requests(batch)
        for one in batch:
            row: Reconciled | None = getattr(one, "reconciled", None)
            drift = row.drift if row is not None else None
            yield {
                "record": "difference",
                "id": one.pk,
                "time": _time(one.happened_at or one.found_at),
                "kind": one.what,
                "name": thing_of(one),
                # Whom Veeam's own event names, and nobody else.
                "user": (drift.found.get("actor") or {}).get("user", "") if drift is not None else "",
                "text": VeeamDifference.What(one.what).label,
            } | _where(row, names)


def _where(row: Reconciled | None, names: dict[UUID, str]) -> dict[str, Any]:
    if row is None:
        return {"belongs_to": "not judged yet"}
    if row.request is not None:
        return {"belongs_to": "request", "request": names.get(row.request, row.request), "why": row.why}
    owner = row.owner.person.name if row.owner is not None else ""
    kind = "exception with an owner" if owner else "exception without an owner"
    return {"belongs_to": kind, "owner": owner, "note": row.note, "why": row.why}


def _requests(batch: Iterable[VeeamEvent | VeeamDifference]) -> dict[UUID, str]:
    rows = [getattr(one, "reconciled", None) for one in batch]
    return {pk: link.name for pk, link in events.links_of(row.request for row in rows if row).items()}


def _batches(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
