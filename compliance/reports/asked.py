"""The requests of a period as rows: who asked what, who decided it, how fast, how it ended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.db.models import Prefetch

from accounts.models import Title, User
from approvals import selectors as approvals
from approvals.models import ApprovalRequest, Capacity, Kind, State, Verdict, Vote
from compliance.reports.document import Cell, Chart, Column, Fact, Series, Table
from compliance.reports.period import Period

# What ended without a change, and not by anybody's word.
UNUSED = (State.EXPIRED, State.LAPSED, State.STALE, State.WITHDRAWN, State.FAILED)
# Faster than that nobody has read a statement.
QUICK_SECONDS = 60
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as a report tells it."""

    request: ApprovalRequest
    state: State
    votes: tuple[Vote, ...]
    targets: str

    @property
    def deciding(self) -> Vote | None:
        """The vote that decided it: the last one."""
        return self.votes[-1] if self.votes and self.request.decided_at else None

    @property
    def seconds(self) -> float | None:
        """How long it waited for its decision."""
        if self.deciding is None or self.request.decided_at is None:
            return None
        return (self.request.decided_at - self.request.created_at).total_seconds()

    @property
    def approved(self) -> bool:
        """Whether it was approved, whatever became of it."""
        return self.deciding is not None and self.deciding.verdict == Verdict.APPROVE

    @property
    def by_security(self) -> bool:
        """Whether a member of Security consented."""
        return self.approved and any(vote.is_of_security for vote in self.votes)


def asked_in(period: Period, viewer: User, now: datetime) -> list[Asked]:
    """Return what was asked in a period and the viewer may know of, oldest first."""
    votes = Prefetch("votes", Vote.objects.select_related("voter__person").order_by("cast_at"))
    rows = approvals.visible(viewer).filter(created_at__gte=period.since, created_at__lt=period.until)
    return [_asked(row, now) for row in rows.prefetch_related(votes).order_by("number")]


def _asked(request: ApprovalRequest, now: datetime) -> Asked:
    state = State(approvals.state_at(request, now))
    return Asked(request, state, tuple(request.votes.all()), _targets(request))


def _targets(request: ApprovalRequest) -> str:
    names = [str(target.get("name") or target["type"]) for target in approvals.said_in(request).targets]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def office(vote: Vote) -> str:
    """Name who voted, in the office of that day."""
    titled = bool(vote.title) and vote.title != Title.OTHER
    words = [
        vote.voter.person.name,
        Capacity(vote.capacity).label,
        *([Title(vote.title).label] if titled else []),
    ]
    return " · ".join(words)


def figures(rows: Sequence[Asked]) -> tuple[Fact, ...]:
    """Return what a reader wants to know first."""
    waited = [one.seconds / 3600 for one in rows if one.seconds is not None]
    approved = [one for one in rows if one.approved]
    return (
        Fact("asked", "Asked", len(rows)),
        Fact(
            "approved_by_security",
            "Approved with a member of Security",
            sum(one.by_security for one in approved),
        ),
        Fact(
            "approved_by_administrators",
            "Approved by administrators alone (no badge)",
            sum(not one.by_security for one in approved),
        ),
        Fact("rejected", "Rejected", sum(one.state == State.REJECTED for one in rows)),
        Fact("unused", "Ended without a change or a no", sum(one.state in UNUSED for one in rows)),
        Fact("open", "Still open", sum(one.state in (State.PENDING, State.APPROVED) for one in rows)),
        Fact("executed", "Executed", sum(one.state == State.EXECUTED for one in rows)),
        Fact(
            "median_hours",
            "Hours to a decision, half are faster",
            round(median(waited), 1) if waited else None,
        ),
        Fact("slowest_hours", "Hours to the slowest decision", round(max(waited), 1) if waited else None),
    )


def by_month(rows: Sequence[Asked], period: Period) -> tuple[Chart, Table]:
    """Return what was asked in each month by how it was decided, as a chart and in figures."""
    steps = period.steps()
    parts = {
        "with Security": ("seal", [one for one in rows if one.approved and one.by_security]),
        "by administrators": ("act", [one for one in rows if one.approved and not one.by_security]),
        "rejected": ("refuse", [one for one in rows if one.state == State.REJECTED]),
    }
    told = {id(one) for _, found in parts.values() for one in found}
    parts["not decided"] = ("", [one for one in rows if id(one) not in told])
    series = tuple(
        Series(label, tone, tuple(_within(found, begin, end) for _, begin, end in steps))
        for label, (tone, found) in parts.items()
    )
    columns = (
        Column("month", "Month"),
        *(Column(one.label.replace(" ", "_"), one.label, True) for one in series),
    )
    table = Table(
        "by_month",
        "Requests by month and decision",
        columns,
        tuple((label, *(one.values[place] for one in series)) for place, (label, _, _) in enumerate(steps)),
    )
    return Chart("Requests by month", tuple(label for label, _, _ in steps), series), table


def _within(rows: Iterable[Asked], begin: datetime, end: datetime) -> int:
    return sum(begin <= one.request.created_at < end for one in rows)


def table_of(rows: Sequence[Asked]) -> Table:
    """Return every request with who asked, who decided and how fast."""
    columns = (
        Column("number", "Request"),
        Column("kind", "What"),
        Column("targets", "About"),
        Column("asked_by", "Asked by"),
        Column("asked_at", "Asked"),
        Column("decided_by", "Decided by"),
        Column("verdict", "Decision"),
        Column("hours", "Hours", True),
        Column("state", "State"),
        Column("ended_at", "Ended"),
    )
    return Table(
        "requests",
        "What was asked, by whom, and who decided",
        columns,
        tuple(_row(one) for one in rows),
        "Nothing was asked in this period.",
    )


def _row(one: Asked) -> tuple[Cell, ...]:
    request, deciding = one.request, one.deciding
    return (
        str(request),
        Kind(request.kind).label,
        one.targets,
        request.asker.person.name,
        request.created_at,
        "; ".join(office(vote) for vote in one.votes),
        "" if deciding is None else ("approved" if one.approved else "rejected"),
        None if one.seconds is None else round(one.seconds / 3600, 1),
        one.state.label,
        request.ended_at,
    )
