"""The procedure in force during a period, and how it was followed."""

from collections.abc import Sequence

from accounts.models import Title
from approvals import selectors as approvals
from approvals.models import Kind, Policy
from compliance.reports.asked import Asked
from compliance.reports.document import Cell, Column, Table
from compliance.reports.period import Period

# Whoever asks for one of these answers the procedure's questions.
ABOUT_PASSWORDS = (Kind.ACTIVATE, Kind.CHANGE, Kind.DEACTIVATE, Kind.DELETE)


def policies_in(period: Period) -> list[Policy]:
    """Return the policies that were in force at some moment of a period, the general ones first."""
    found: list[Policy] = []
    newest: dict[object, Policy] = {}
    rows = Policy.objects.filter(created_at__lt=period.until).select_related("scope")
    for one in rows.order_by("created_at", "number"):
        before = newest.get(one.scope_id)
        if before is not None and one.created_at <= period.since:
            found.remove(before)
        newest[one.scope_id] = one
        found.append(one)
    return sorted(found, key=lambda one: (one.scope is not None, str(one.scope), one.number))


def in_force(policies: Sequence[Policy]) -> Table:
    """Return the rules of deciding, one row a policy."""
    columns = (
        Column("policy", "Policy", True),
        Column("scope", "Where"),
        Column("since", "Since"),
        Column("approvals", "Approvals", True),
        Column("who", "Who decides"),
        Column("days", "Days to decide", True),
        Column("factor", "Second factor"),
        Column("procedure", "Procedure", True),
        Column("questions", "Questions", True),
    )
    return Table("policies", "Rules in force in the period", columns, tuple(_policy(one) for one in policies))


def _policy(one: Policy) -> tuple[Cell, ...]:
    pools = [f"{pool['count']} {Title(pool['title']).label}" for pool in one.pools]
    who = "Security or a Backup administrator" if one.administrators_may_approve else "Security alone"
    return (
        one.number,
        "everywhere" if one.scope is None else str(one.scope),
        one.created_at,
        one.quorum,
        ", among them ".join([who, *([", ".join(pools)] if pools else [])]),
        one.decide_days,
        "demanded" if one.mfa_required else "not demanded",
        one.procedure_version,
        len(one.procedure_questions),
    )


def followed(rows: Sequence[Asked]) -> Table:
    """Return, for each request about a password, which procedure was answered and in how far."""
    columns = (
        Column("number", "Request"),
        Column("kind", "What"),
        Column("procedure", "Procedure", True),
        Column("answered", "Questions answered", True),
        Column("custody", "Copies stated", True),
        Column("factor", "Deciders proved themselves by"),
    )
    about = [one for one in rows if one.request.kind in ABOUT_PASSWORDS]
    return Table(
        "procedure",
        "How the procedure was followed",
        columns,
        tuple(_followed(one) for one in about),
        "No request was about a password.",
    )


def answered(rows: Sequence[Asked]) -> int:
    """Return how many requests about a password answered the procedure."""
    return sum(
        bool(approvals.said_in(one.request).answers) for one in rows if one.request.kind in ABOUT_PASSWORDS
    )


def _followed(one: Asked) -> tuple[Cell, ...]:
    said = approvals.said_in(one.request)
    factors = [str(vote.proof.get("factor", "unknown")) for vote in one.votes]
    return (
        str(one.request),
        Kind(one.request.kind).label,
        int(said.procedure["version"]),
        len([answer for answer in said.answers if answer["answer"].strip()]),
        len(said.custody),
        ", ".join(factors),
    )
