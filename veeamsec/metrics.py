"""Figures for Prometheus at `/metrics`, for a token of the scope `metrics`: counts and ages, no names.

The text format is a line a figure, so no library stands between. Every state that there can be is told,
with 0 where there is none: a rule on a line that comes and goes would never fire.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Min, OuterRef, Subquery
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import selectors as accounts
from accounts.authentication import MetricsAuthentication
from approvals.models import ApprovalRequest
from approvals.models import State as RequestState
from audit import selectors as audit
from audit.models import Alarm, Checkpoint, Entry, Outbox
from encryption import badge
from encryption.models import Job, Rekey

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Name → help; each is a gauge.
METRICS = {
    "veeamsec_requests": "Requests by state",
    "veeamsec_jobs": "Jobs by the state of their sign",
    "veeamsec_alarms_open": "Alarms that are not resolved, by severity",
    "veeamsec_outbox_waiting": "Work that is due and not done",
    "veeamsec_outbox_lag_seconds": "How long the oldest due work has waited",
    "veeamsec_forwarder_active": "1 for a forwarder that sends, 0 for one that is stopped",
    "veeamsec_forwarder_waiting": "Entries that a forwarder has still to send",
    "veeamsec_forwarder_lag_seconds": "Age of the oldest entry that a forwarder has still to send",
    "veeamsec_forwarder_failures": "Failures of a forwarder since its last success",
    "veeamsec_log_entries": "Entries of the log",
    "veeamsec_log_unsigned_entries": "Entries that no checkpoint signs yet",
    "veeamsec_checkpoint_age_seconds": "Age of the newest checkpoint; -1 before the first",
    "veeamsec_security_seats_active": "Active seats of the Security Role",
    "veeamsec_rekeys_running": "Changes of keys that have not ended",
}


class Figure(NamedTuple):
    """One line."""

    name: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


class Metrics(APIView):
    """The figures."""

    authentication_classes = [MetricsAuthentication]
    permission_classes = [IsAuthenticated]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Return them in Prometheus' text format."""
        return HttpResponse(text_of(figures(timezone.now())), content_type=CONTENT_TYPE)


def text_of(found: Iterable[Figure]) -> str:
    """Return figures as text, each name with its help once; ValueError for a name that is not declared."""
    lines: dict[str, list[str]] = {name: [] for name in METRICS}
    for figure in found:
        if figure.name not in lines:
            raise ValueError(f"{figure.name} is not declared")
        labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in figure.labels)
        lines[figure.name].append(f"{figure.name}{f'{{{labels}}}' if labels else ''} {figure.value:g}")
    told = (
        [f"# HELP {name} {METRICS[name]}", f"# TYPE {name} gauge", *its] for name, its in lines.items() if its
    )
    return "".join(f"{line}\n" for block in told for line in block)


def figures(now: datetime) -> Iterator[Figure]:
    """Return every figure of this moment, in a number of queries that no number of rows changes."""
    yield from _requests()
    yield from _jobs(now)
    yield from _alarms()
    yield from _outbox(now)
    yield from _forwarders(now)
    yield from _log(now)
    yield Figure("veeamsec_security_seats_active", accounts.security_members().count())
    running = Rekey.objects.filter(state__in=[Rekey.State.QUEUED, Rekey.State.RUNNING]).count()
    yield Figure("veeamsec_rekeys_running", running)


def _requests() -> Iterator[Figure]:
    found = dict(ApprovalRequest.objects.order_by().values_list("state").annotate(Count("pk")))
    for state in RequestState:
        yield Figure("veeamsec_requests", found.get(state.value, 0), (("state", state.value),))


class _Job(NamedTuple):
    """What a sign needs of a job; whole rows of thousands take longer than all the rest."""

    pk: UUID
    password_id: UUID | None
    full_next: bool
    observed_fingerprint: str
    observed_at: datetime | None


def _jobs(now: datetime) -> Iterator[Figure]:
    rows = Job.objects.exclude(state=Job.State.DELETED).order_by()
    jobs = [_Job(*row) for row in rows.values_list(*_Job._fields)]
    found = Counter(sign.state for sign in badge.badges(jobs, now).values())
    for state in badge.State:
        yield Figure("veeamsec_jobs", found[state], (("badge", state.value),))


def _alarms() -> Iterator[Figure]:
    rows = audit.open_alarms().order_by()
    found = dict(rows.values_list("severity").annotate(Count("pk")))
    for severity in Alarm.Severity:
        yield Figure("veeamsec_alarms_open", found.get(severity.value, 0), (("severity", severity.value),))


def _outbox(now: datetime) -> Iterator[Figure]:
    due = Outbox.objects.filter(done_at=None, due__lte=now).aggregate(waiting=Count("pk"), oldest=Min("due"))
    yield Figure("veeamsec_outbox_waiting", due["waiting"])
    yield Figure("veeamsec_outbox_lag_seconds", _age(due["oldest"], now))


def _forwarders(now: datetime) -> Iterator[Figure]:
    unsent = Entry.objects.filter(sequence__gt=OuterRef("position")).order_by("sequence").values("time")[:1]
    for row in audit.forwarders().annotate(unsent=Subquery(unsent)):
        label = (("forwarder", str(row.pk)), ("way", row.way))
        yield Figure("veeamsec_forwarder_active", int(row.active), label)
        yield Figure("veeamsec_forwarder_waiting", getattr(row, "waiting", None) or 0, label)
        yield Figure("veeamsec_forwarder_lag_seconds", _age(row.unsent, now), label)
        yield Figure("veeamsec_forwarder_failures", row.failures, label)


def _log(now: datetime) -> Iterator[Figure]:
    newest = Entry.objects.order_by("-sequence").values_list("sequence", flat=True).first()
    entries = 0 if newest is None else newest + 1
    head: Checkpoint | None = audit.head()
    yield Figure("veeamsec_log_entries", entries)
    yield Figure("veeamsec_log_unsigned_entries", entries - (head.size if head else 0))
    yield Figure("veeamsec_checkpoint_age_seconds", _age(head.time, now) if head else -1)


def _age(moment: datetime | None, now: datetime) -> float:
    return 0 if moment is None else max(0.0, round((now - moment).total_seconds()))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
