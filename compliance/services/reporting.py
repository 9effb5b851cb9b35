"""Reading a report, having one made as a file, and taking it; each is told to the log with who did it.

The web process never prints: the worker does, in a child, so that a page is not kept waiting by a long report
and the renderer stands where nobody signs in.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.errors import NotEligible
from accounts.models import User
from audit import queue
from audit import services as audit
from audit.errors import Refused
from audit.events import Event
from compliance import selectors
from compliance.errors import Invalid, NotFound
from compliance.models import Report
from compliance.reports import catalogue, dossier, formats, packs, pdf
from compliance.reports.document import Document

SUBJECT = "compliance.report"
# As long as somebody may need to fetch what was told by mail; then it is erased, for it names people.
KEPT = timedelta(days=30)
# One person does not fill the worker's time, nor the database.
MOST_WAITING = 5

State = Report.State


def demand(user: User) -> None:
    """Refuse who may not read reports. Raises NotEligible."""
    if not user.has_perm(catalogue.PERMISSION):
        raise NotEligible("Reports are for Security, administrators and auditors.")


def read(name: str, given: Mapping[str, str], *, by: User, form: str) -> Document:
    """Return a report for one person. Raises NotEligible, NotFound, Invalid."""
    with audit.attempt(by=by, subject=SUBJECT) as attempt:
        demand(by)
        kind = catalogue.kind_of(name)
        document = kind.build(by, catalogue.wanted_of(kind, given), timezone.now())
        with attempt.act():
            audit.record(Event.REPORT_MADE, facts={"report": name, "form": form, **document.asked})
    return document


def order(name: str, given: Mapping[str, str], *, by: User, form: str = Report.Form.PDF) -> Report:
    """Ask the worker for a report as a file. Raises NotEligible, NotFound, Invalid."""
    with audit.attempt(by=by, subject=SUBJECT) as attempt:
        demand(by)
        kind = catalogue.kind_of(name)
        wanted = catalogue.wanted_of(kind, given)
        if form == Report.Form.PACK and not kind.packs:
            raise Invalid("Only the record of a request comes as an evidence pack.")
        # Now, so that who mistypes a day is told at once.
        wanted = dict(kind.build(by, wanted, timezone.now()).asked)
        with attempt.act():
            if Report.objects.filter(by=by, state=State.WAITING).count() >= MOST_WAITING:
                raise NotEligible("Others of yours are being made; wait until they are done.")
            return order_within(name, wanted, by=by, form=form)


def order_within(
    name: str, wanted: Mapping[str, str], *, by: User, form: str, schedule: UUID | None = None
) -> Report:
    """Enter a report to be made, in the caller's transaction, and ring for it."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a report is asked for in its caller's transaction")
    report = Report.objects.create(
        name=name,
        form=form,
        asked=dict(wanted),
        by=by,
        schedule_id=schedule,
        expires_at=timezone.now() + KEPT,
    )
    facts = {"report": name, "form": form, "schedule": schedule, **wanted}
    audit.record(Event.REPORT_ASKED, subject=report, facts=facts)
    queue.ring(queue.Task.MAKE_REPORT, report.pk)
    return report


def make(report_id: UUID) -> None:
    """Make a report that was asked for; as the worker. One that was made already is left as it is."""
    report = Report.objects.select_related("by").filter(pk=report_id, state=State.WAITING).first()
    if report is None:
        return
    content, error = None, ""
    try:
        demand(report.by)
        content = _content(report)
    except Refused as refused:
        error = str(refused)
    with audit.act(by=audit.WORKER, subject=report):
        row = Report.objects.select_for_update().filter(pk=report_id, state=State.WAITING).first()
        if row is None:
            return
        row.content, row.error = content, error
        row.state = State.FAILED if content is None else State.MADE
        row.made_at = None if content is None else timezone.now()
        row.save(update_fields=["content", "error", "state", "made_at"])
        event = Event.REPORT_FAILED if content is None else Event.REPORT_MADE
        audit.record(event, facts={"report": row.name, "form": row.form, "for": row.by_id, **row.asked})
        if row.schedule_id is not None:
            queue.ring(queue.Task.MAIL_REPORT, row.pk)


def _content(report: Report) -> bytes:
    kind = catalogue.kind_of(report.name)
    document = kind.build(report.by, report.asked, timezone.now())
    if report.form == Report.Form.PACK:
        return packs.pack_of(dossier.request_of(report.asked, report.by), document)
    return pdf.pdf_of(formats.on_paper(document))


def get(report_id: UUID, viewer: User) -> Report:
    """Return a report as a file, without its content: one's own, or one that one is told of. Or NotFound."""
    found = selectors.reports_for(viewer).filter(pk=report_id).first()
    if found is None:
        raise NotFound("There is no such report, or it is not yours to know.")
    return found


def take(report_id: UUID, *, by: User) -> Report:
    """Hand over a report's file. Raises NotFound, also while it is being made and once it was erased."""
    with audit.attempt(by=by, subject=(SUBJECT, report_id)) as attempt:
        found = get(report_id, by)
        if found.state != State.MADE:
            raise NotFound("There is no file: it is being made, was not made, or its time is over.")
        with attempt.act():
            audit.record(Event.REPORT_TAKEN, facts={"report": found.name, "form": found.form})
    return found


def erase_old() -> int:
    """Erase the files whose time is over; as the worker. Returns how many."""
    now = timezone.now()
    if not Report.objects.filter(state=State.MADE, expires_at__lte=now).exists():
        return 0
    with audit.act(by=audit.WORKER, subject=SUBJECT):
        over = Report.objects.filter(state=State.MADE, expires_at__lte=now)
        count = over.update(state=State.ERASED, content=None)
        audit.record(Event.REPORTS_ERASED, facts={"count": count})
    return count
