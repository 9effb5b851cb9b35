"""Named reads of what was found, and about reports, that doors share."""

from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import User
from compliance.errors import NotFound
from compliance.models import Assessment, Finding, Report, ReportSchedule
from compliance.reports import catalogue

FINDINGS = "compliance.view_finding"


def newest() -> Assessment | None:
    """Return the last run of the analyzer that is done."""
    return Assessment.objects.exclude(done_at=None).order_by("-done_at").first()


def finding_for(finding_id: UUID, user: User) -> Finding:
    """Return one finding. Raises NotFound for who may not read them, and for none."""
    found = Finding.objects.select_related("assessment").filter(pk=finding_id).first()
    if found is None or not user.has_perm(FINDINGS):
        raise NotFound("There is no such finding, or it is not yours to see.")
    return found


def history_of(code: str, most: int) -> list[Finding]:
    """Return what a check found in its last runs, newest first."""
    rows = Finding.objects.filter(code=code).select_related("assessment")
    return list(rows.order_by("-assessment__done_at")[:most])


def waiting() -> Assessment | None:
    """Return the run that is asked for and not done."""
    return Assessment.objects.filter(done_at=None).order_by("asked_at").first()


def runs(most: int) -> list[Assessment]:
    """Return the last runs that are done, newest first."""
    return list(Assessment.objects.exclude(done_at=None).order_by("-done_at")[:most])


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
