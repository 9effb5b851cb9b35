"""What an auditor asks, over the API."""

from compliance.api.analyzer import Assessments, Findings, FindingView
from compliance.api.reports import (
    Catalogue,
    Content,
    File,
    Files,
    Making,
    ReportView,
    Schedule,
    Schedules,
    SheetView,
)

__all__ = [
    "Assessments",
    "Catalogue",
    "Content",
    "File",
    "Files",
    "FindingView",
    "Findings",
    "Making",
    "ReportView",
    "Schedule",
    "Schedules",
    "SheetView",
]
