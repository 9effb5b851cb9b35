"""Alarms in human words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from accounts.models import User
from audit import selectors as audit
from audit.alarms import Kind
from audit.models import Alarm

TITLES = {
    Kind.LOG_ALTERED: "The log was altered",
    Kind.LOG_ROLLED_BACK: "The database is older than its own log",
    Kind.TASK_FAILING: "Work in the background fails",
    Kind.DRIFT: "Changed behind our back",
    Kind.UNOBSERVED: "A job cannot be observed",
    Kind.REKEY_STUCK: "A change of a key or password does not go on",
    Kind.REKEY_FAILED: "A change of a key or password failed",
    Kind.JOB_FAILED: "A backup failed",
    Kind.DISK_FULL: "A repository is full",
    Kind.SECURITY_ROLE_TOO_SMALL: "The Security Role is too small",
    Kind.MEMBER_SUSPENDED: "A member of Security is suspended",
    Kind.MEMBER_DOUBTED: "An administrator doubts a member of Security",
    Kind.VEEAM_UNEXPLAINED: "Something at Veeam that no request explains",
    Kind.VEEAM_VERIFY_FAILED: "A wrong value was tried for a password at Veeam",
    Kind.VEEAM_NOT_LISTENING: "Nobody listens to Veeam's events",
    Kind.VEEAM_ADOPTION_FAILED: "What was offered is not the password at Veeam",
    Kind.VEEAM_NOT_ENFORCED: "Others may change passwords at an enforced Veeam server",
    Kind.REQUEST_STALE: "An approval did not fit any more",
    Kind.PASSWORD_RELEASED: "A password was released",
    Kind.CUSTODY_WRONG: "A custodian's copy is not the password",
    Kind.BADGE_LOST: "A badge is gone",
    Kind.ATTESTATION_MISSING: "Evidence is missing",
    Kind.KMS_AWAY: "A master key is out of reach",
}


_PAGES = {
    "encryption.job": "job",
    "approvals.approvalrequest": "request",
    "accounts.securitymember": "seat",
    "encryption.encryptionpassword": "password",
    "encryption.veeamserver": "veeam_reconciliation",
}


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
            title=TITLES.get(Kind(alarm.kind), alarm.kind),
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
    return reverse("people") if alarm.kind == Kind.SECURITY_ROLE_TOO_SMALL else ""
