"""What should be so, and what was found and told of it."""

from compliance.models.reports import Report, ReportSchedule

__all__ = ["Report", "ReportSchedule"]
