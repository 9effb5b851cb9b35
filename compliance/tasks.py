"""What workers call, by name; each makes one call."""

from uuid import UUID

from audit import queue
from compliance.services import analyzing, reporting, schedules, telling


@queue.worker(queue.Task.MAKE_REPORT)
def make_report(report: UUID) -> None:
    """Make a report as a file."""
    reporting.make(report)


@queue.worker(queue.Task.MAIL_REPORT)
def mail_report(report: UUID) -> None:
    """Tell by mail that a report was made."""
    schedules.mail(report)


@queue.beat(queue.Task.REPORTS)
def reports() -> None:
    """Ask for the reports that are due, and erase those whose time is over."""
    schedules.begin_due()
    reporting.erase_old()


@queue.worker(queue.Task.ANALYZE)
def analyze(assessment: UUID) -> None:
    """Run all checks."""
    analyzing.analyze(assessment)


@queue.beat(queue.Task.ANALYZE_WHEN_DUE)
def analyze_when_due() -> None:
    """Ask for a run of the checks if it is time, or if something happened."""
    analyzing.analyze_when_due()


@queue.worker(queue.Task.TELL_FINDINGS)
def tell_findings(assessment: UUID) -> None:
    """Tell by mail what changed since the run before."""
    telling.tell(assessment)
