"""Named reads of what was found, and about reports, that doors share."""

from django.db.models import Q, QuerySet

from accounts.models import User
from compliance.models import Assessment, Finding, Report, ReportSchedule
from compliance.reports import catalogue


def newest() -> Assessment | None:
    """Return the last run of the analyzer that is done."""
    return Assessment.objects.exclude(done_at=None).order_by("-done_at").first()


def findings_of(assessment: Assessment) -> QuerySet[Finding]:
    """Return what one run found, by check."""
    return Finding.objects.filter(assessment=assessment).select_related("assessment").order_by("code")


def reports_for(user: User) -> QuerySet[Report]:
    """Return the files that an account may take: its own, and those that it is told of; newest first."""
    if not user.has_perm(catalogue.PERMISSION):
        return Report.objects.none()
    theirs = Q(by=user) | Q(schedule__recipients=user)
    return Report.objects.filter(theirs).select_related("by__person", "schedule").defer("content").distinct()


def schedules() -> QuerySet[ReportSchedule]:
    """Return who is told what how often."""
    live = ReportSchedule.objects.filter(ended_at=None).select_related("by__person")
    return live.prefetch_related("recipients__person")
