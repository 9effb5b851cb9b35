"""Reports told again and again: the worker makes each as a file and mails a link to it, never the file.

Mail is copied, forwarded and kept beyond our reach, and a report names people and what is open: whoever
follows the link signs in, must still be allowed to read it, and stands in the log.
"""

import hashlib
from collections.abc import Collection
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMessage, get_connection
from django.utils import timezone

from accounts.models import User
from audit import services as audit
from audit.events import Event
from compliance.errors import Invalid, NotFound
from compliance.models import Report, ReportSchedule
from compliance.reports import catalogue, rhythm
from compliance.services import reporting

SUBJECT = "compliance.reportschedule"
MOST_RECIPIENTS, MOST_SCHEDULES = 50, 100
# Longer than a mail is tried again.
_TOLD_FOR = 7 * 24 * 3600


def make(name: str, every: str, recipients: Collection[UUID], *, by: User) -> ReportSchedule:
    """Have a report told to accounts that may read it. Raises NotEligible, NotFound, Invalid."""
    with audit.act(by=by, subject=SUBJECT):
        reporting.demand(by)
        if not catalogue.kind_of(name).told:
            raise Invalid("This report is about one thing, and is not told again and again.")
        if every not in ReportSchedule.Every.values:
            raise Invalid("A report is told every week, month or quarter.")
        if ReportSchedule.objects.filter(ended_at=None).count() >= MOST_SCHEDULES:
            raise Invalid("There are too many already; end one first.")
        readers = _readers(recipients)
        schedule = ReportSchedule.objects.create(
            name=name, every=every, by=by, next_at=rhythm.next_due(every, timezone.now())
        )
        schedule.recipients.set(readers)
        told = sorted(str(user.pk) for user in readers)
        facts = {"report": name, "every": every, "recipients": told}
        audit.record(Event.REPORT_SCHEDULED, subject=schedule, facts=facts)
    return schedule


def _readers(ids: Collection[UUID]) -> list[User]:
    if not 1 <= len(set(ids)) <= MOST_RECIPIENTS:
        raise Invalid(f"Name 1 to {MOST_RECIPIENTS} accounts.")
    users = list(User.objects.filter(pk__in=ids, is_active=True, is_human=True))
    if len(users) != len(set(ids)) or any(not user.has_perm(catalogue.PERMISSION) for user in users):
        raise Invalid("Only accounts that may read reports are told of them.")
    return users


def end(schedule_id: UUID, *, by: User) -> None:
    """End it; whoever may read reports may. Raises NotEligible, NotFound."""
    with audit.act(by=by, subject=(SUBJECT, schedule_id)):
        reporting.demand(by)
        row = ReportSchedule.objects.select_for_update().filter(pk=schedule_id, ended_at=None).first()
        if row is None:
            raise NotFound("There is no such thing, or it has ended.")
        _end_within(row, why="by hand")


def _end_within(row: ReportSchedule, why: str) -> None:
    row.ended_at = timezone.now()
    row.save(update_fields=["ended_at"])
    facts = {"report": row.name, "every": row.every, "why": why}
    audit.record(Event.REPORT_UNSCHEDULED, subject=row, facts=facts)


def begin_due() -> int:
    """Ask for the reports that are due; as the worker. Returns how many."""
    due = ReportSchedule.objects.filter(ended_at=None, next_at__lte=timezone.now()).values_list(
        "pk", flat=True
    )
    return sum(_begin(pk) for pk in due)


def _begin(schedule_id: UUID) -> bool:
    with audit.act(by=audit.WORKER, subject=(SUBJECT, schedule_id)):
        now = timezone.now()
        due = ReportSchedule.objects.select_for_update().filter(
            pk=schedule_id, ended_at=None, next_at__lte=now
        )
        row = due.first()
        if row is None:
            return False
        if not row.by.has_perm(catalogue.PERMISSION) or not row.by.is_active:
            _end_within(row, why="who asked for it may not read reports any more")
            return False
        days = rhythm.last_whole(row.every, now.date()).as_asked()
        wanted = catalogue.wanted_of(catalogue.kind_of(row.name), days)
        reporting.order_within(row.name, wanted, by=row.by, form=Report.Form.PDF, schedule=row.pk)
        # One is made, however many were missed: the page has every period.
        row.next_at = rhythm.next_due(row.every, now)
        row.save(update_fields=["next_at"])
        return True


def mail(report_id: UUID) -> int:
    """Tell the recipients that a report was made, or was not; as the worker. Returns how many were told.

    Raises the first error once all were tried: who was told already is not told again.
    """
    report = Report.objects.defer("content").select_related("schedule").filter(pk=report_id).first()
    if report is None or report.schedule is None:
        return 0
    told, failed = 0, list[Exception]()
    readers = [user for user in report.schedule.recipients.select_related("person") if _may(user)]
    with get_connection() as connection:
        for message in (_message(report, user) for user in readers):
            if message is None:
                continue
            key = f"report-{report.pk}-{hashlib.sha256(message.to[0].encode()).hexdigest()}"
            if cache.get(key):
                continue
            try:
                told += connection.send_messages([message]) or 0
            except (OSError, ValueError) as error:
                failed.append(error)
            else:
                cache.set(key, True, _TOLD_FOR)
    if failed:
        raise failed[0]
    return told


def _may(user: User) -> bool:
    return user.is_active and user.has_perm(catalogue.PERMISSION)


def _message(report: Report, user: User) -> EmailMessage | None:
    address = user.email or user.person.email
    if not address:
        return None
    title = catalogue.kind_of(report.name).title
    how = "was made" if report.state == Report.State.MADE else "could not be made"
    link = f"{settings.VEEAMSEC_ORIGIN}/reports/made/{report.pk}/"
    return EmailMessage(f"[VeeamSec] The report “{title}” {how}", f"{link}\n", to=[address])
