"""Reads of what Veeam's events and differences came to: populations with their counts, and their rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts.models import User
from encryption.errors import Unknown
from encryption.models import Reconciled, VeeamDifference, VeeamEvent, VeeamServer
from encryption.selectors.servers import veeam_servers_for


@dataclass(frozen=True, slots=True)
class Population:
    """How many there are, and where they belong; the four parts add up to the whole."""

    total: int
    settled: int
    owned: int
    unowned: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Period:
    """From this moment on, and before that one; None: no bound."""

    since: datetime | None = None
    until: datetime | None = None

    def narrow(self, rows: "QuerySet[Any]", field: str) -> "QuerySet[Any]":
        """Keep what lies within, by this field."""
        if self.since is not None:
            rows = rows.filter(**{f"{field}__gte": self.since})
        return rows if self.until is None else rows.filter(**{f"{field}__lt": self.until})


EVER = Period()

_SETTLED = Q(reconciled__request__isnull=False)
_EXCEPTION = Q(reconciled__isnull=False, reconciled__request=None)
_PARTS = {
    "settled": _SETTLED,
    "owned": _EXCEPTION & Q(reconciled__owner__isnull=False),
    "unowned": _EXCEPTION & Q(reconciled__owner=None),
    "waiting": Q(reconciled=None),
}


def server_for(server_id: UUID, user: User) -> VeeamServer:
    """Return a Veeam server that a person may see. Raises Unknown."""
    found = veeam_servers_for(user).filter(pk=server_id).first()
    if found is None:
        raise Unknown("There is no such Veeam server, or it is not yours to see.")
    return found


def events_of(server: VeeamServer, period: Period = EVER) -> "QuerySet[VeeamEvent]":
    """The events of a server, newest first, by when they happened."""
    return period.narrow(VeeamEvent.objects.filter(server=server), "happened_at").order_by(
        "-happened_at", "-pk"
    )


def differences_of(server: VeeamServer, period: Period = EVER) -> "QuerySet[VeeamDifference]":
    """The differences of a server, newest first, by when they were found."""
    return period.narrow(VeeamDifference.objects.filter(server=server), "found_at").order_by(
        "-found_at", "-pk"
    )


def population_of(rows: "QuerySet[Any]") -> Population:
    """Count events or differences by where they belong, in one query."""
    counts = {name: Count("pk", filter=part) for name, part in _PARTS.items()}
    found: Mapping[str, int] = rows.order_by().aggregate(total=Count("pk"), **counts)
    return Population(**found)


def exceptions_of(server: VeeamServer, period: Period = EVER) -> "QuerySet[Reconciled]":
    """What of a server no executed request explains, newest first; events and differences."""
    return _rows(server, period).filter(request=None)


def settled_of(server: VeeamServer, period: Period = EVER) -> "QuerySet[Reconciled]":
    """What of a server belongs to executed requests, newest first."""
    return _rows(server, period).filter(request__isnull=False)


def _rows(server: VeeamServer, period: Period) -> "QuerySet[Reconciled]":
    events = period.narrow(Reconciled.objects.filter(event__server=server), "event__happened_at")
    differences = period.narrow(Reconciled.objects.filter(difference__server=server), "difference__found_at")
    rows = Reconciled.objects.filter(Q(pk__in=events.values("pk")) | Q(pk__in=differences.values("pk")))
    return rows.select_related(
        "event", "difference__job", "difference__password", "drift", "owner__person"
    ).order_by("-settled_at", "-pk")


def all_events(
    *,
    server: UUID | None = None,
    strange: bool = False,
    number: int | None = None,
    user: str = "",
    period: Period = EVER,
) -> "QuerySet[VeeamEvent]":
    """Events as their list shows them, newest first; `strange`: of no server that is known here."""
    rows = VeeamEvent.objects.select_related("server__repository", "reconciled__owner__person")
    if server is not None:
        rows = rows.filter(server=server)
    if strange:
        rows = rows.filter(server=None)
    if number is not None:
        rows = rows.filter(number=number)
    if user:
        rows = rows.filter(user_name__icontains=user)
    narrowed: QuerySet[VeeamEvent] = period.narrow(rows, "happened_at")
    return narrowed.order_by("-happened_at", "-pk")
