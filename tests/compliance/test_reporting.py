"""Reports read, made by the worker, taken, sent and erased; each told to the log with who did it."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.core import mail
from django.utils import timezone

from accounts.errors import NotEligible
from accounts.models import RoleGrant
from audit.events import Event
from audit.models import Entry, Outbox
from compliance.errors import Invalid, NotFound, PdfUnavailable
from compliance.models import Report, ReportSchedule
from compliance.reports import pdf, rhythm
from compliance.services import reporting, schedules

pytestmark = pytest.mark.django_db
PERIOD = {"since": "2026-10-01", "until": "2026-10-31"}


@pytest.fixture
def pango() -> None:
    try:
        import weasyprint  # noqa: F401
    except OSError as error:
        pytest.skip(f"no Pango on this machine: {error}")


@pytest.fixture
def unprinted(monkeypatch) -> None:
    """Stands for the printer where a test is about something else."""
    monkeypatch.setattr(pdf, "pdf_of", lambda html: b"%PDF-1.7 " + html.encode())


def last(event: Event) -> Entry:
    return Entry.objects.filter(event=event).first()


# --- reading ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["dpo", "auditor", "administrator"])
def test_who_reads_a_report_stands_in_the_log(people, role):
    reader = getattr(people, role)
    reporting.read("governance", PERIOD, by=reader, form="json")
    entry = last(Event.REPORT_MADE)
    assert (entry.actor, entry.facts) == (reader.pk, {"report": "governance", "form": "json", **PERIOD})


@pytest.mark.parametrize("role", ["operator", "service", "nobody"])
def test_other_roles_are_refused_and_the_attempt_is_kept(people, role):
    with pytest.raises(NotEligible):
        reporting.read("governance", PERIOD, by=getattr(people, role), form="json")
    assert last(Event.ATTEMPT_REFUSED).actor == getattr(people, role).pk
    assert not Entry.objects.filter(event=Event.REPORT_MADE).exists()


def test_a_report_that_is_none_is_not_found(people):
    with pytest.raises(NotFound):
        reporting.read("horoscope", {}, by=people.auditor, form="json")


# --- as a file ----------------------------------------------------------------------------------------------


def order(people, by=None):
    return reporting.order("governance", PERIOD, by=by or people.auditor)


@pytest.mark.usefixtures("pango")
def test_the_worker_makes_it_and_who_asked_takes_it(people):
    ordered = order(people)
    assert Outbox.objects.filter(name="compliance.make_report", ref=ordered.pk).exists()
    reporting.make(ordered.pk)
    taken = reporting.take(ordered.pk, by=people.auditor)
    assert bytes(taken.content).startswith(b"%PDF-1.7")
    assert last(Event.REPORT_MADE).facts["for"] == str(people.auditor.pk)
    assert last(Event.REPORT_TAKEN).actor == people.auditor.pk


@pytest.mark.usefixtures("unprinted")
def test_nobody_else_takes_it(people):
    ordered = order(people)
    reporting.make(ordered.pk)
    with pytest.raises(NotFound):
        reporting.take(ordered.pk, by=people.dpo)


def test_what_is_not_made_yet_is_not_taken(people):
    with pytest.raises(NotFound, match="being made"):
        reporting.take(order(people).pk, by=people.auditor)


@pytest.mark.usefixtures("unprinted")
def test_it_is_made_once(people):
    ordered = order(people)
    reporting.make(ordered.pk)
    reporting.make(ordered.pk)
    assert Entry.objects.filter(event=Event.REPORT_MADE).count() == 1


def test_a_machine_without_pango_says_what_to_install(people, monkeypatch):
    def refuse(html: str) -> bytes:
        raise PdfUnavailable("Install libpango-1.0-0.")

    monkeypatch.setattr(pdf, "pdf_of", refuse)
    ordered = order(people)
    reporting.make(ordered.pk)
    ordered.refresh_from_db()
    assert (ordered.state, ordered.error) == ("failed", "Install libpango-1.0-0.")
    assert last(Event.REPORT_FAILED).subject_id == str(ordered.pk)


@pytest.mark.usefixtures("unprinted")
def test_who_lost_the_right_meanwhile_gets_nothing(people):
    ordered = order(people)
    RoleGrant.objects.filter(user=people.auditor).update(until=timezone.now())
    reporting.make(ordered.pk)
    ordered.refresh_from_db()
    assert (ordered.state, ordered.content) == ("failed", None)


def test_one_person_does_not_fill_the_queue(people):
    for _ in range(reporting.MOST_WAITING):
        order(people)
    with pytest.raises(NotEligible):
        order(people)
    assert order(people, by=people.dpo).state == "waiting"


@pytest.mark.usefixtures("unprinted")
def test_its_time_over_it_is_erased(people):
    ordered = order(people)
    reporting.make(ordered.pk)
    assert reporting.erase_old() == 0
    Report.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert reporting.erase_old() == 1
    ordered.refresh_from_db()
    assert (ordered.state, ordered.content) == ("erased", None)
    assert last(Event.REPORTS_ERASED).facts == {"count": 1}


def test_the_web_writes_no_file_into_a_report(as_role):
    with as_role("web").cursor() as web, pytest.raises(psycopg.errors.InsufficientPrivilege):
        web.execute("UPDATE compliance_report SET content = 'forged', state = 'made'")


def test_a_wrong_day_is_told_at_once(people):
    with pytest.raises(Invalid):
        reporting.order("governance", {"since": "soon"}, by=people.auditor)
    assert not Report.objects.exists()


# --- again and again ----------------------------------------------------------------------------------------


def make_schedule(people, *users, every="month"):
    return schedules.make("governance", every, [user.pk for user in users], by=people.dpo)


@pytest.mark.usefixtures("unprinted")
def test_when_due_it_is_made_and_told_by_a_link(people):
    schedule = make_schedule(people, people.dpo, people.auditor)
    assert schedules.begin_due() == 0
    ReportSchedule.objects.update(next_at=timezone.now() - timedelta(days=70))
    assert (schedules.begin_due(), schedules.begin_due()) == (1, 0)
    report = Report.objects.get()
    reporting.make(report.pk)
    assert (schedules.mail(report.pk), schedules.mail(report.pk)) == (2, 0)
    assert {one.to[0] for one in mail.outbox} == {
        user.email or user.person.email for user in (people.dpo, people.auditor)
    }
    assert mail.outbox[0].body == f"http://localhost:8000/reports/made/{report.pk}/\n"
    assert mail.outbox[0].attachments == []
    assert reporting.take(report.pk, by=people.auditor).schedule_id == schedule.pk


def test_a_recipient_who_may_not_read_is_refused(people):
    with pytest.raises(Invalid):
        make_schedule(people, people.operator)
    assert not ReportSchedule.objects.exists()


@pytest.mark.usefixtures("unprinted")
def test_a_recipient_who_lost_the_right_is_told_nothing(people):
    make_schedule(people, people.auditor)
    ReportSchedule.objects.update(next_at=timezone.now())
    schedules.begin_due()
    report = Report.objects.get()
    reporting.make(report.pk)
    RoleGrant.objects.filter(user=people.auditor).update(until=timezone.now())
    assert (schedules.mail(report.pk), mail.outbox) == (0, [])
    with pytest.raises(NotFound):
        reporting.take(report.pk, by=people.auditor)


def test_it_ends_with_the_right_of_who_made_it(people):
    schedule = schedules.make("governance", "week", [people.dpo.pk], by=people.auditor)
    RoleGrant.objects.filter(user=people.auditor).update(until=timezone.now())
    ReportSchedule.objects.update(next_at=timezone.now())
    assert schedules.begin_due() == 0
    schedule.refresh_from_db()
    assert schedule.ended_at is not None
    assert last(Event.REPORT_UNSCHEDULED).subject_id == str(schedule.pk)


def test_an_ended_one_is_told_no_more(people):
    schedule = make_schedule(people, people.dpo)
    schedules.end(schedule.pk, by=people.auditor)
    ReportSchedule.objects.update(next_at=timezone.now())
    assert schedules.begin_due() == 0
    with pytest.raises(NotFound):
        schedules.end(schedule.pk, by=people.auditor)


@pytest.mark.parametrize(
    ("every", "first", "last_day", "due"),
    [
        ("week", "2026-10-26", "2026-11-01", "2026-11-09"),
        ("month", "2026-10-01", "2026-10-31", "2026-12-01"),
        ("quarter", "2026-07-01", "2026-09-30", "2027-01-01"),
    ],
)
def test_the_last_whole_days_and_when_the_next_is_due(every, first, last_day, due):
    noon = datetime(2026, 11, 2, 12, tzinfo=UTC)
    assert rhythm.last_whole(every, noon.date()).as_asked() == {"since": first, "until": last_day}
    assert rhythm.next_due(every, noon).date().isoformat() == due
