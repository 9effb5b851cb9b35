"""What should be so, and what was found and told of it."""

from compliance.models.assessments import Assessment, Finding
from compliance.models.reports import Report, ReportSchedule

__all__ = ["Assessment", "Finding", "Report", "ReportSchedule"]
