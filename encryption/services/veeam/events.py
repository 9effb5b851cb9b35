"""Events that Veeam servers send: lines become rows, each once, whoever sends them twice."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Any, Protocol
from uuid import UUID

from django.db import DataError, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from audit import services as audit
from audit.events import Event
from audit.statement import plain
from encryption.engines.veeam import syslog
from encryption.errors import EngineError
from encryption.models import VeeamEvent, VeeamServer

# Encryption passwords; jobs; key management servers; Veeam's own four eyes; refused changes of secrets.
TAKEN = frozenset((*range(31600, 31851), 23050, *range(42300, 42303), *range(42400, 42406), 41810))
# The field that says that a line can be read in two ways: then nobody is named by it for certain.
DOUBTFUL = "doubtful"
# Of strangers' events, at one reading of a server.
_AT_ONCE = 5_000
_SUBJECTS = ("ID", "JobID", "KMSServerID", "OperationId")
_NAMES = ("Hint", "JobName", "Name", "Operation", "EventType")
_PEOPLE = ("UserFullInfo", "InitiatorFullInfo", "SupervisorFullInfo")
_FULL_NAME = re.compile(r'fullName="?([^"/>]+)', re.IGNORECASE)


class Arrived(Protocol):
    """A line, when it came, from whom, and how."""

    @property
    def line(self) -> bytes:
        """The line without its frame."""

    @property
    def at(self) -> datetime:
        """When it came."""

    @property
    def peer(self) -> str:
        """The address that sent it."""

    @property
    def transport(self) -> str:
        """udp, tcp or tls."""


@dataclass(slots=True)
class Taken:
    """What became of some lines; `strangers` are events of servers that are not known here."""

    received: int = 0
    refused: int = 0
    dropped: int = 0
    strangers: int = 0


def store(arrived: Sequence[Arrived], *, room_for_strangers: int = 1000) -> Taken:
    """Write the events among these lines; other lines are counted as refused.

    An event of no known server is kept without one, up to `room_for_strangers`: whoever reaches the port can
    invent them. Raises OperationalError where the database is away.
    """
    taken, rows, servers = Taken(), [], _servers()
    for one in arrived:
        row = _row(one, servers)
        if row is None:
            taken.refused += 1
        elif row.server_id is None and taken.strangers >= room_for_strangers:
            taken.dropped += 1
        else:
            taken.strangers += row.server_id is None
            rows.append(row)
    taken.received = len(rows)
    try:
        with transaction.atomic():
            VeeamEvent.objects.bulk_create(rows, ignore_conflicts=True)
    except DataError:
        _store_singly(rows, taken)
    return taken


def claim(server: VeeamServer) -> int:
    """As the worker: give a server what it sent before it was known here by that name; returns how many.

    The oldest come first, so many at a reading; reconciliation then finds them in their order.
    """
    servers = _servers()
    names = {name if _is_number(name) else name.partition(".")[0] for name in _named(servers, server.pk)}
    if not names:
        return 0
    told = VeeamEvent.objects.filter(server=None).annotate(told=Cast("fields", TextField()))
    likely = reduce(or_, (Q(host__icontains=name) | Q(told__icontains=name) for name in names))
    rows = told.filter(likely).order_by("received_at", "pk").values_list("pk", "host", "fields")
    found = [pk for pk, host, said in rows[:_AT_ONCE] if _server(servers, _hosts(said, host)) == server.pk]
    if found:
        with audit.act(by=audit.WORKER, subject=server.repository):
            VeeamEvent.objects.filter(pk__in=found, server=None).update(server=server)
            audit.record(Event.VEEAM_EVENTS_CLAIMED, facts={"events": len(found)})
    return len(found)


def _named(servers: Mapping[str, UUID], server: UUID) -> list[str]:
    return [name for name, pk in servers.items() if pk == server]


def _hosts(said: Mapping[str, Any], host: str) -> tuple[str, str]:
    """The names by which an event says where it is from, what it says itself before who sent it."""
    fields = {name.casefold(): str(value) for name, value in said.items()}
    return fields.get("vbrhostname", ""), host


def _is_number(name: str) -> bool:
    return name.replace(".", "").isdigit()


def _store_singly(rows: list[VeeamEvent], taken: Taken) -> None:
    """One that the database cannot hold does not take the others with it."""
    for row in rows:
        try:
            with transaction.atomic():
                VeeamEvent.objects.bulk_create([row], ignore_conflicts=True)
        except DataError:
            taken.received -= 1
            taken.refused += 1


def _row(one: Arrived, servers: Mapping[str, UUID]) -> VeeamEvent | None:
    try:
        event = syslog.parse(one.line, one.at)
        happened = event.happened_at.astimezone(UTC)
    except (EngineError, OverflowError):
        return None
    if event.number not in TAKEN:
        return None
    said: dict[str, Any] = plain(event.fields) | ({DOUBTFUL: "yes"} if event.doubtful else {})
    fields = {name.casefold(): str(value) for name, value in said.items()}
    host = plain(event.host)
    return VeeamEvent(
        server_id=_server(servers, _hosts(said, host)),
        number=event.number,
        host=(host or fields.get("vbrhostname", ""))[:255],
        happened_at=happened,
        received_at=one.at,
        peer=one.peer[:60],
        transport=one.transport,
        subject=_first(fields, _SUBJECTS).strip("{}").lower()[:64],
        name=_first(fields, _NAMES)[:255],
        user_name=_user(fields)[:255],
        description=plain(event.description),
        fields=said,
        digest=hashlib.sha256(one.line).hexdigest(),
    )


def _first(fields: Mapping[str, str], names: Iterable[str]) -> str:
    return next((fields[name.casefold()] for name in names if fields.get(name.casefold())), "")


def _user(fields: Mapping[str, str]) -> str:
    if fields.get("username"):
        return fields["username"]
    found = _FULL_NAME.search(_first(fields, _PEOPLE))
    return found[1].strip() if found else ""


def _servers() -> dict[str, UUID]:
    """Every name that a server's lines may carry; a short one only where it is one server's alone."""
    full: dict[str, UUID] = {}
    short: dict[str, set[UUID]] = {}
    for pk, *names in VeeamServer.objects.values_list("pk", "address", "vbr_name", "syslog_name"):
        for name in (name.casefold() for name in names if name):
            full[name] = pk
            if not _is_number(name):
                short.setdefault(name.partition(".")[0], set()).add(pk)
    return {name: next(iter(pks)) for name, pks in short.items() if len(pks) == 1} | full


def _server(servers: Mapping[str, UUID], names: Iterable[str]) -> UUID | None:
    for name in (name.casefold() for name in names if name):
        if found := servers.get(name) or servers.get(name.partition(".")[0]):
            return found
    return None
