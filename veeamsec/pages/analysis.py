"""What the analyzer found, as people read it: by check, by control, by job, and over time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import Person, User
from compliance import selectors
from compliance.checks import CHECKS, Status
from compliance.models import Assessment, Finding
from compliance.reports import charts
from compliance.reports.document import Chart, Series
from veeamsec.pages import words
from veeamsec.pages.signs import Sign
from veeamsec.pages.tiles import Tile

TREND = 24
WORDS: Mapping[str, str] = {
    Status.PASSED: "Passed",
    Status.NOT_IMPLEMENTED: "Not implemented",
    Status.UNABLE: "Unable to detect",
    Status.SUPPRESSED: "Suppressed",
}
_ORDER = (Status.NOT_IMPLEMENTED, Status.UNABLE, Status.SUPPRESSED, Status.PASSED)
_GRAVEST = ("high", "medium", "low")
_PAGES = {"job": "job", "password": "password", "request": "request", "server": "veeam_server"}
_LISTS = {
    "account": "people",
    "person": "people",
    "people": "people",
    "policies": "policies",
    "recovery": "recovery",
    "servers": "veeam",
    "repository": "repositories",
    "log": "log",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One finding in a list."""

    id: UUID
    title: str
    summary: str
    sign: Sign
    severity: str
    good: int
    total: int


@dataclass(frozen=True, slots=True)
class Group:
    """Findings under one heading: a control, or a job."""

    title: str
    url: str
    rows: tuple[Row, ...]

    @property
    def met(self) -> int:
        """How many of them are passed."""
        return sum(row.sign.words == WORDS[Status.PASSED] for row in self.rows)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line of evidence, with the page where it is seen."""

    text: str
    url: str


def rows_of(findings: Iterable[Finding], now: datetime) -> list[Row]:
    """Return findings as rows: what falls short first, the gravest of it first."""
    found = [(finding.status(now), finding) for finding in findings]
    found.sort(key=lambda pair: (_ORDER.index(pair[0]), _GRAVEST.index(pair[1].severity), pair[1].code))
    return [_row(finding, status) for status, finding in found]


def _row(finding: Finding, status: Status) -> Row:
    return Row(
        id=finding.pk,
        title=finding.title or finding.code,
        summary=finding.summary,
        sign=sign_of(status, finding.severity),
        severity=finding.severity.title(),
        good=finding.good,
        total=finding.total,
    )


def sign_of(status: Status, severity: str) -> Sign:
    """Return the sign of an answer; only what is grave is red."""
    if status == Status.NOT_IMPLEMENTED:
        return Sign("refuse" if severity == "high" else "wait", WORDS[status], "alert-triangle")
    icon = {Status.PASSED: "circle-check", Status.UNABLE: "info-circle"}.get(status, "clock")
    return Sign("act" if status == Status.UNABLE else "quiet", WORDS[status], icon)


def by_control(findings: Sequence[Finding], now: datetime) -> list[Group]:
    """Return the findings under each control that their checks support."""
    controls = sorted({name for finding in findings for name in _controls(finding)})
    return [
        Group(name, "", tuple(rows_of((one for one in findings if name in _controls(one)), now)))
        for name in controls
    ]


def by_job(findings: Sequence[Finding], now: datetime) -> list[Group]:
    """Return, of each job that some evidence names, the findings that name it, in its own words."""
    named: dict[str, list[tuple[Finding, str]]] = {}
    for finding in findings:
        for line in finding.evidence:
            if line["about"] == "job":
                named.setdefault(line["ref"], []).append((finding, line["text"]))
    groups = []
    for ref, pairs in named.items():
        name = pairs[0][1].partition(": ")[0]
        texts = {finding.pk: text.partition(": ")[2] for finding, text in pairs}
        rows = rows_of((finding for finding, _ in pairs), now)
        said = tuple(_saying(row, texts[row.id]) for row in rows)
        groups.append(Group(name, reverse("job", args=[ref]), said))
    return sorted(groups, key=lambda group: (-len(group.rows), group.title))


def _saying(row: Row, text: str) -> Row:
    return Row(row.id, row.title, text, row.sign, row.severity, row.good, row.total)


def _controls(finding: Finding) -> tuple[str, ...]:
    return CHECKS[finding.code].controls if finding.code in CHECKS else ()


def evidence_of(finding: Finding) -> list[Evidence]:
    """Return the lines of a finding; people are named as they are called now, for findings name none."""
    accounts = [line["ref"] for line in finding.evidence if line["about"] == "account"]
    persons = [line["ref"] for line in finding.evidence if line["about"] == "person"]
    names = {str(pk): name for pk, name in Person.objects.filter(pk__in=persons).values_list("pk", "name")}
    people = User.objects.filter(pk__in=accounts).values_list("pk", "person__name")
    names |= {str(pk): name for pk, name in people}
    return [_evidence(line, names) for line in finding.evidence]


def _evidence(line: Mapping[str, Any], names: Mapping[str, str]) -> Evidence:
    about, ref, text = line["about"], line["ref"], line["text"]
    if about in ("account", "person"):
        text = f"{names.get(ref, 'Somebody whose name was erased')} {text}"
    if about in _PAGES and ref:
        return Evidence(text, reverse(_PAGES[about], args=[ref]))
    return Evidence(text, reverse(_LISTS[about]) if about in _LISTS else "")


def trend(runs: Sequence[Assessment]) -> SafeString | str:
    """Draw how the answers of the last runs were, oldest first; one run is no trend."""
    last = list(runs)[:TREND][::-1]
    if len(last) < 2:
        return ""
    return charts.drawn(_chart(last))


def legend(runs: Sequence[Assessment]) -> list[dict[str, str]]:
    """Return the names of the colours, for the newest run."""
    return charts.legend(_chart(list(runs)[:1]))


def _chart(runs: Sequence[Assessment]) -> Chart:
    tones = {
        Status.PASSED: "act",
        Status.SUPPRESSED: "",
        Status.UNABLE: "wait",
        Status.NOT_IMPLEMENTED: "refuse",
    }
    series = tuple(
        Series(WORDS[status], tone, tuple(run.counts.get(status.value, 0) for run in runs))
        for status, tone in tones.items()
    )
    labels = tuple(f"{run.done_at:%-d %b}" if run.done_at else "" for run in runs)
    return Chart("Answers of the last runs", labels, series)


def tiles(rows: Sequence[Row]) -> list[Tile]:
    """Return how many checks got which answer."""
    counts = {word: sum(row.sign.words == word for row in rows) for word in WORDS.values()}
    total = len(rows)
    passed = counts.pop("Passed")
    first = Tile("Passed", f"{passed}", f"of {total}", done=passed, total=total)
    return [first, *(Tile(word, f"{count}") for word, count in counts.items())]


def tiles_of_overview(viewer: User) -> list[Tile]:
    """Return the analyzer's tile of the overview, for who may read findings."""
    if not viewer.has_perm(selectors.FINDINGS):
        return []
    newest = selectors.newest()
    if newest is None or newest.done_at is None:
        return [Tile("Compliance", "not yet", note="the analyzer runs by itself", href=reverse("compliance"))]
    passed, total = newest.counts.get(Status.PASSED.value, 0), sum(newest.counts.values())
    short = newest.counts.get(Status.NOT_IMPLEMENTED.value, 0)
    when = words.ago(newest.done_at, timezone.now())
    note = f"{words.count(short, 'check')} not implemented" if short else when
    return [
        Tile(
            "Compliance",
            f"{passed}",
            f"of {total} passed",
            note=note,
            done=passed,
            total=total,
            href=reverse("compliance"),
        )
    ]
