"""Alarms in human words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from accounts.models import User
from audit import selectors as audit
from audit.alarms import Kind
from audit.models import Alarm

_PAGES = {
    "encryption.job": "job",
    "approvals.approvalrequest": "request",
    "accounts.securitymember": "seat",
    "encryption.encryptionpassword": "password",
    "encryption.veeamserver": "veeam_reconciliation",
}
_SEATS = (Kind.SECURITY_ROLE_TOO_SMALL, Kind.SECURITY_ROLE_SMALL)


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """One alarm: what happened, what helps, where to look."""

    title: str
    text: str
    todo: str
    url: str
    critical: bool
    at: datetime
    closed_at: datetime | None


def open_alarms(viewer: User) -> list[AlarmLine]:
    """The alarms whose cause is not gone, for who may see them."""
    return lines(audit.open_alarms()) if viewer.has_perm("audit.view_alarm") else []


def lines(alarms: Iterable[Alarm]) -> list[AlarmLine]:
    """Put alarms into words."""
    return [
        AlarmLine(
            title=Kind(alarm.kind).heading,
            text=alarm.text,
            todo=Kind(alarm.kind).todo,
            url=_url(alarm),
            critical=alarm.severity == Alarm.Severity.CRITICAL,
            at=alarm.raised_at,
            closed_at=alarm.resolved_at,
        )
        for alarm in alarms
    ]


def _url(alarm: Alarm) -> str:
    page = _PAGES.get(alarm.subject_type)
    if page and alarm.subject_id:
        return reverse(page, args=[alarm.subject_id])
    if alarm.kind == Kind.VEEAM_NOT_LISTENING:
        return reverse("veeam_events")
    return reverse("people") if alarm.kind in _SEATS else ""
