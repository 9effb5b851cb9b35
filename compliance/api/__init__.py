"""What an auditor asks, over the API."""

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
    "Catalogue",
    "Content",
    "File",
    "Files",
    "Making",
    "ReportView",
    "Schedule",
    "Schedules",
    "SheetView",
]
