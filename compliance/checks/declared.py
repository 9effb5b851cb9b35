"""What a check is: a thing with a name, its reasons and one function over prepared facts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from compliance.checks.facts import Facts

# More lines of evidence than anybody reads are counted, not listed.
MOST_LINES = 200


class Status(StrEnum):
    """Veeam's four answers."""

    PASSED = "passed"
    NOT_IMPLEMENTED = "not_implemented"
    UNABLE = "unable_to_detect"
    SUPPRESSED = "suppressed"


class Severity(StrEnum):
    """How grave it is when a check is not met."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that a check found amiss, with the page where it is seen: a kind of thing and its id."""

    text: str
    about: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found: `good` of `total`, and a line for each thing that falls short."""

    status: Status
    summary: str
    good: int = 0
    total: int = 0
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One declared check; `code` is stored and never reused.

    `controls` are texts like "ISO/IEC 27001:2022 A.8.24": what this check supports, not what it fulfils.
    """

    code: str
    title: str
    why: str
    mend: str
    severity: Severity
    controls: tuple[str, ...]
    find: Callable[[Facts], Result]


def counted(good: int, total: int, summary: str, lines: Sequence[Line]) -> Result:
    """Return *Passed* when all of at least one thing are good, else *Not implemented*.

    Of nothing there is nothing to detect: an empty list never passes.
    """
    if total == 0:
        return unable(summary)
    status = Status.PASSED if good == total else Status.NOT_IMPLEMENTED
    shown = tuple(lines[:MOST_LINES])
    if more := len(lines) - len(shown):
        shown += (Line(f"And {more:,} more."),)
    return Result(status, summary, good, total, shown)


def unable(why: str) -> Result:
    """Return *Unable to detect*, with the reason in plain words."""
    return Result(Status.UNABLE, why)
