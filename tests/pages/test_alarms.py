"""Alarms are read, taken on and ended on their page; events are narrowed and followed."""

from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from audit import services as audit
from audit.alarms import Kind
from audit.events import Event
from audit.models import Alarm
from tests.pages.conftest import as_user, text_of

pytestmark = pytest.mark.django_db
NOTE = "<b>I asked him</b>, he had read it."


def raised(kind: Kind = Kind.JOB_FAILED, text: str = "It failed.", severity: str = "warning") -> Alarm:
    subject = ("encryption.job", uuid4())
    with audit.act(by=audit.WORKER, subject=subject):
        return audit.raise_alarm_within(kind, subject, severity, text)


def post(user, name: str, alarm: Alarm, note: str = ""):
    return as_user(user).post(reverse(name, args=[alarm.pk]), {"note": note}, follow=True)


def test_who_takes_an_alarm_on_is_shown_to_the_others(people):
    alarm = raised()
    assert "The others see" in text_of(post(people.operator, "alarm_acknowledge", alarm, NOTE))
    page = text_of(as_user(people.dpo).get(reverse("alarms")))
    assert f"{people.operator.person.name} looks into it" in page
    assert "&lt;b&gt;I asked him" in page
    assert "<b>I asked" not in page


def test_an_auditor_reads_and_has_no_form(people):
    alarm = raised()
    page = text_of(as_user(people.auditor).get(reverse("alarms")))
    assert "It failed." in page
    assert reverse("alarm_acknowledge", args=[alarm.pk]) not in page
    assert "Nothing changed" in text_of(post(people.auditor, "alarm_acknowledge", alarm))
    alarm.refresh_from_db()
    assert alarm.state == Alarm.State.RAISED


def test_security_ends_what_is_over_and_others_cannot(people):
    alarm = raised(Kind.QUICK_APPROVAL)
    url = reverse("alarm_close", args=[alarm.pk])
    assert url in text_of(as_user(people.dpo).get(reverse("alarms")))
    assert url not in text_of(as_user(people.administrator).get(reverse("alarms")))
    assert "Nothing changed" in text_of(post(people.administrator, "alarm_close", alarm, "Fine."))
    assert "Say what came of it" in text_of(post(people.dpo, "alarm_close", alarm))
    assert "The alarm is ended." in text_of(post(people.dpo, "alarm_close", alarm, "He had read it."))
    ended = text_of(as_user(people.auditor).get(reverse("alarms"), {"state": "resolved"}))
    assert "He had read it." in ended


def test_the_critical_stand_first(people):
    raised(text="a mild one")
    raised(text="a grave one", severity="critical")
    raised(text="another mild one")
    page = text_of(as_user(people.dpo).get(reverse("alarms")))
    assert page.index("a grave one") < page.index("another mild one") < page.index("a mild one")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, {"first", "second"}),
        ({"state": "raised"}, {"first"}),
        ({"state": "acknowledged"}, {"second"}),
        ({"kind": "drift"}, {"second"}),
        ({"state": "resolved"}, set()),
        ({"state": "'; drop", "kind": "strange"}, {"first", "second"}),
    ],
)
def test_alarms_are_narrowed(people, query, shown):
    raised(text="the first one")
    post(people.operator, "alarm_acknowledge", raised(Kind.DRIFT, text="the second one"))
    page = text_of(as_user(people.dpo).get(reverse("alarms"), query))
    assert {name for name in ("first", "second") if f"the {name} one" in page} == shown


def test_many_alarms_have_pages(people):
    for number in range(45):
        raised(text=f"Number {number} " + "of a long text without an end " * 20)
    first = text_of(as_user(people.dpo).get(reverse("alarms")))
    last = text_of(as_user(people.dpo).get(reverse("alarms"), {"page": 3}))
    assert (first.count("of a long text without an end") > 0, "41 to 45 of 45" in last) == (True, True)
    assert "Number 44 " in first


def test_an_empty_page_says_so(people):
    assert "No alarm is open" in text_of(as_user(people.dpo).get(reverse("alarms")))


def events(user, **query):
    return text_of(as_user(user).get(reverse("events"), query))


@pytest.fixture
def told(people):
    with audit.act(by=people.operator, subject=("encryption.job", uuid4())):
        audit.record(Event.PASSWORD_DELETED)
        audit.record(Event.BACKUP_FINISHED)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, {"A password was deleted", "A backup was made"}),
        ({"severity": "high"}, {"A password was deleted"}),
        ({"severity": "critical"}, set()),
        ({"number": "31800"}, {"A password was deleted"}),
        ({"number": str(Event.BACKUP_FINISHED.number)}, {"A backup was made"}),
        ({"event": "backup."}, {"A backup was made"}),
        ({"severity": "strange", "event": "strange"}, {"A password was deleted", "A backup was made"}),
        ({"number": "x' or 1=1"}, set()),
    ],
)
def test_events_are_narrowed(people, told, query, shown):
    page = events(people.auditor, **query)
    assert {words for words in ("A password was deleted", "A backup was made") if words in page} == shown


def test_veeam_s_number_stands_beside_ours(people, told):
    page = events(people.auditor, severity="high")
    assert str(Event.PASSWORD_DELETED.number) in page
    assert ">31800<" in page


def test_who_follows_gets_the_rows_anew(people, told):
    assert "hx-get" not in events(people.dpo)
    assert f'hx-get="{reverse("event_rows")}?' in events(people.dpo, follow="1")
    rows = text_of(as_user(people.dpo).get(reverse("event_rows"), {"severity": "high", "follow": "1"}))
    assert "A password was deleted" in rows
    assert "<html" not in rows
    assert timezone.now().strftime("%H:") in rows
