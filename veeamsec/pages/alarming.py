"""Alarms in human words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from accounts.models import User
from accounts.services import alarms as answering
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
    """One alarm: what happened, what helps, where to look, who looks, and what the viewer may do."""

    id: UUID
    title: str
    text: str
    todo: str
    url: str
    critical: bool
    at: datetime
    seen_by: str
    seen_at: datetime | None
    note: str
    closed_at: datetime | None
    may_answer: bool
    may_end: bool
    incident: bool
    amends: str


def open_alarms(viewer: User) -> list[AlarmLine]:
    """The alarms whose cause is not gone, for who may see them."""
    return lines(audit.open_alarms(), viewer) if viewer.has_perm("audit.view_alarm") else []


def lines(alarms: Iterable[Alarm], viewer: User) -> list[AlarmLine]:
    """Put alarms into words; who acknowledged them is looked up for all at once."""
    found = list(alarms)
    standing = viewer.facts()
    answers = answering.answers(standing)
    users = {alarm.acknowledged_by for alarm in found if alarm.acknowledged_by}
    names = dict(User.objects.filter(pk__in=users).values_list("pk", "person__name"))
    return [_line(alarm, names, answers=answers, ends=standing.is_security) for alarm in found]


def _line(alarm: Alarm, names: dict[UUID, str], *, answers: bool, ends: bool) -> AlarmLine:
    kind, is_open = Kind(alarm.kind), alarm.state != Alarm.State.RESOLVED
    seen_by = alarm.acknowledged_by
    return AlarmLine(
        id=alarm.pk,
        title=kind.heading,
        text=alarm.text,
        todo=kind.todo,
        url=_url(alarm),
        critical=alarm.severity == Alarm.Severity.CRITICAL,
        at=alarm.raised_at,
        seen_by=names.get(seen_by, "somebody") if seen_by else "",
        seen_at=alarm.acknowledged_at,
        note=alarm.note,
        closed_at=alarm.resolved_at,
        may_answer=answers and is_open,
        may_end=ends and is_open and kind.incident,
        incident=kind.incident,
        amends=kind.amends,
    )


def _url(alarm: Alarm) -> str:
    page = _PAGES.get(alarm.subject_type)
    if page and alarm.subject_id:
        return reverse(page, args=[alarm.subject_id])
    if alarm.kind == Kind.VEEAM_NOT_LISTENING:
        return reverse("veeam_events")
    return reverse("people") if alarm.kind in _SEATS else ""
