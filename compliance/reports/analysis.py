"""The analyzer's last result as a report, and how it has been before."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from accounts import selectors as people
from accounts.models import User
from compliance.checks import Status
from compliance.models import Assessment, Finding
from compliance.reports.document import Cell, Chart, Column, Document, Fact, Section, Series, Table

NAME = "analyzer"
TITLE = "Analyzer result"
LEAD = "What should be so and is, or is not: each check with its reason, and how it was before."

_SAID = {
    Status.PASSED: "Passed",
    Status.NOT_IMPLEMENTED: "Not implemented",
    Status.UNABLE: "Unable to detect",
    Status.SUPPRESSED: "Suppressed",
}
_TONES = {
    Status.PASSED: "seal",
    Status.NOT_IMPLEMENTED: "refuse",
    Status.UNABLE: "",
    Status.SUPPRESSED: "wait",
}
_SHOWN = 24


def build(viewer: User, wanted: Mapping[str, str], now: datetime) -> Document:
    """Return what the last run found; where none is done yet, that is said."""
    runs = list(Assessment.objects.exclude(done_at=None).order_by("-done_at")[:_SHOWN])
    findings = list(Finding.objects.filter(assessment=runs[0]).order_by("code")) if runs else []
    when = f"{runs[0].done_at:%-d %B %Y, %H:%M} UTC" if runs and runs[0].done_at else ""
    return Document(
        name=NAME,
        title=TITLE,
        lead=f"Of the run of {when}." if when else "The analyzer has not run yet.",
        made_at=now,
        made_by=people.user_label(viewer),
        sections=(_now(findings, now), *((_before(runs[::-1]),) if runs else ())),
    )


def _now(findings: Sequence[Finding], now: datetime) -> Section:
    statuses = [one.status(now) for one in findings]
    columns = (
        Column("check", "Check"),
        Column("status", "Result"),
        Column("severity", "Severity"),
        Column("good", "Good", True),
        Column("total", "Of", True),
        Column("summary", "Found"),
        Column("mend", "What helps"),
        Column("controls", "Supports"),
        Column("suppressed_until", "Suppressed until"),
    )
    table = Table(
        "checks", "Checks", columns, tuple(_row(one, now) for one in findings), "Nothing was looked at."
    )
    return Section(
        "Checks",
        facts=tuple(Fact(status, _SAID[status], statuses.count(status)) for status in Status),
        tables=(table,),
    )


def _row(one: Finding, now: datetime) -> tuple[Cell, ...]:
    declared, status = one.check_declared, one.status(now)
    helps = declared.mend if declared is not None and status != Status.PASSED else ""
    return (
        declared.title if declared is not None else one.code,
        _SAID[status],
        one.severity,
        one.good,
        one.total,
        one.summary,
        helps,
        ", ".join(declared.controls) if declared is not None else "",
        one.suppressed_until,
    )


def _before(runs: Sequence[Assessment]) -> Section:
    labels = tuple(f"{run.done_at:%-d %b}" for run in runs)
    series = tuple(
        Series(_SAID[status], _TONES[status], tuple(int(run.counts.get(status, 0)) for run in runs))
        for status in Status
    )
    columns = (Column("at", "Run"), *(Column(status, _SAID[status], number=True) for status in Status))
    rows = tuple((run.done_at, *(one.values[place] for one in series)) for place, run in enumerate(runs))
    return Section(
        "How it was before",
        charts=(Chart("Results of the last runs", labels, series),),
        tables=(Table("runs", "The last runs", columns, rows),),
    )
