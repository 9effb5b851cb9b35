"""What was not as the rule has it: in a period the exceptions, and now what is still open."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from accounts import selectors as people
from accounts.models import Suspension
from approvals.models import State
from audit import selectors as log
from audit.alarms import Kind as AlarmKind
from audit.events import Event
from audit.models import Alarm
from compliance.checks import Severity, Status
from compliance.models import Assessment, Finding
from compliance.reports.asked import QUICK_SECONDS, Asked, office
from compliance.reports.document import Cell, Column, Table
from compliance.reports.period import Period
from encryption.badge import Badge
from encryption.badge import State as Sign
from encryption.models import Drift, Job
from encryption.selectors import opens

_GRAVITY = {Severity.HIGH: "critical", Severity.MEDIUM: "warning", Severity.LOW: "info"}
# P3 holds with two; with a third one may be away.
SEATS_ADVISED = 3
# Signs under which everything that is read is approved by Security.
GOOD_SIGNS = (Sign.APPROVED, Sign.APPROVED_FROM, Sign.NEXT_RUN, Sign.APPLYING)


def in_period(rows: Sequence[Asked], period: Period) -> Table:
    """Return the exceptions of a period: each with when, about what, and how it ended."""
    found = [*_of_requests(rows), *_drifts(period), *_suspensions(period)]
    found.sort(key=lambda row: row[0])
    refused = tuple(
        (period.until, "Refused attempts", code, f"{count} times") for code, count in refusals(period)
    )
    return Table(
        "exceptions",
        "Exceptions of the period",
        (
            Column("at", "When"),
            Column("what", "What"),
            Column("about", "About"),
            Column("end", "How it ended"),
        ),
        (*found, *((None, *row[1:]) for row in refused)),
        "There were none.",
    )


def refusals(period: Period) -> list[tuple[str, int]]:
    """Return why attempts were refused, and how often."""
    entries = log.entries(event=Event.ATTEMPT_REFUSED, since=period.since, until=period.until)
    codes = entries.order_by().values_list("facts__code", flat=True)
    return Counter(str(code or "other") for code in codes).most_common()


def _of_requests(rows: Iterable[Asked]) -> list[tuple[datetime, str, str, str]]:
    found = []
    for one in rows:
        at, name = one.request.created_at, f"{one.request}, {one.targets}"
        who = "; ".join(office(vote) for vote in one.votes)
        if one.approved and not one.by_security:
            found.append((at, "Approved by administrators alone", name, f"{one.state.label}; by {who}"))
        if one.approved and one.seconds is not None and one.seconds < QUICK_SECONDS:
            found.append((at, "Approved within a minute", name, f"{one.state.label}; by {who}"))
        if one.state in (State.STALE, State.FAILED, State.LAPSED, State.EXPIRED):
            found.append((at, one.state.label, name, one.request.outcome or "Nothing changed."))
    return found


def drifts_in(period: Period) -> list[Drift]:
    """Return what was found in a period that nobody approved."""
    rows = Drift.objects.filter(found_at__gte=period.since, found_at__lt=period.until)
    return list(rows.exclude(what__in=Drift.GAPS).select_related("job", "password", "repository"))


def _drifts(period: Period) -> list[tuple[datetime, str, str, str]]:
    return [(one.found_at, "Changed, not approved", _subject(one), _end(one)) for one in drifts_in(period)]


def _end(drift: Drift) -> str:
    if drift.closed_at is None:
        return f"Open. {drift.text}"
    return "Explained under four eyes." if drift.explained_by else "Put right, or gone again."


def _suspensions(period: Period) -> list[tuple[datetime, str, str, str]]:
    rows = Suspension.objects.filter(began_at__gte=period.since, began_at__lt=period.until)
    return [
        (one.began_at, "A member of Security was suspended", str(one.member.person), _standing(one))
        for one in rows.select_related("member__person")
    ]


def _standing(one: Suspension) -> str:
    if one.ended_at is not None:
        return "Ended."
    return "Confirmed by a third member." if one.ends_at is None else "For 72 hours, unless it was confirmed."


def open_now(jobs: Sequence[Job], signs: dict[Any, Badge], now: datetime) -> Table:
    """Return the risks that are open as the report is made, gravest first, each with what helps."""
    found = [*_alarms(), *_gaps(), *_seats(), *_jobs(jobs, signs), *_analyzed(now)]
    order = {"critical": 0, "warning": 1, "info": 2}
    found.sort(key=lambda row: order[str(row[0])])
    return Table(
        "open_risks",
        "Open risks, as this is made",
        (
            Column("severity", "Severity"),
            Column("risk", "Risk"),
            Column("about", "About"),
            Column("since", "Since"),
            Column("helps", "What helps"),
        ),
        tuple(found),
        "None that is known here.",
    )


def _alarms() -> list[tuple[Cell, ...]]:
    return [
        (
            one.severity,
            one.text,
            "",
            one.raised_at,
            AlarmKind(one.kind).todo if one.kind in set(AlarmKind) else "",
        )
        for one in log.open_alarms()
    ]


def _gaps() -> list[tuple[Cell, ...]]:
    rows = Drift.objects.filter(closed_at=None, what__in=Drift.GAPS).select_related("job", "repository")
    helps = "Ask to encrypt it, or have Security accept the reason why not."
    return [("warning", one.text, _subject(one), one.found_at, helps) for one in rows]


def _seats() -> list[tuple[Cell, ...]]:
    seats = people.active_seats()
    if seats >= SEATS_ADVISED:
        return []
    risk = f"Security has {seats} active seats; three are advised, so that one may be away."
    return [("warning", risk, "Security Role", None, "Ask to seat another member.")]


def _jobs(jobs: Sequence[Job], signs: dict[Any, Badge]) -> list[tuple[Cell, ...]]:
    found: list[tuple[Cell, ...]] = []
    for job in jobs:
        sign = signs[job.pk]
        if sign.state in GOOD_SIGNS and not sign.older:
            continue
        severity = "critical" if sign.state == Sign.DRIFT else "warning"
        helps = "Ask for a change of its password under four eyes."
        if sign.state == Sign.PLAIN:
            helps = "Ask to activate encryption."
        elif sign.state in GOOD_SIGNS:
            severity, helps = "info", "They retire with retention; until then keep the older passwords."
        found.append((severity, sign.label, job.name, sign.since, helps))
    unheld = opens.unheld(Job.objects.filter(Q(pk__in=[job.pk for job in jobs]))).count()
    if unheld:
        risk = (
            f"{unheld} versions of passwords that restore points need, and whose value nobody proved to know."
        )
        found.append(("critical", risk, "", None, "Find who knows each, and have it typed once."))
    return found


def _analyzed(now: datetime) -> list[tuple[Cell, ...]]:
    """Return what the analyzer's last run found to be not so, and nobody suppressed."""
    run = Assessment.objects.exclude(done_at=None).order_by("-done_at").first()
    findings = Finding.objects.filter(assessment=run).order_by("code") if run is not None else ()
    return [
        (
            _GRAVITY[Severity(one.severity)],
            f"{one.check_declared.title}: {one.summary}",
            f"analyzer, {one.good} of {one.total}",
            run.done_at if run is not None else None,
            one.check_declared.mend,
        )
        for one in findings
        if one.check_declared is not None and one.status(now) == Status.NOT_IMPLEMENTED
    ]


def _subject(drift: Drift) -> str:
    return str(drift.job or drift.password or drift.repository)


def raised_in(period: Period) -> int:
    """Return how many alarms were raised in a period."""
    return Alarm.objects.filter(raised_at__gte=period.since, raised_at__lt=period.until).count()
