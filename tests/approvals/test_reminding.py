"""Reminders at half and nine tenths of the time to decide, a digest a day, and approvals that were quick."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts.services import alarms
from approvals.services import reminding
from audit.alarms import Kind
from audit.models import Alarm
from tests.approvals.conftest import approve, new_policy

pytestmark = pytest.mark.django_db


def at(request, percent: float) -> datetime:
    return request.created_at + (request.decide_by - request.created_at) * percent / 100


def told(mailoutbox) -> set[str]:
    return {address for mail in mailoutbox for address in mail.to}


def deciders(people) -> set[str]:
    return {user.person.email for user in (people.dpo, people.ciso, people.third, people.administrator)}


def test_nobody_is_reminded_before_half_of_the_time(pending, mailoutbox):
    assert reminding.remind(at(pending, 49)) == 0
    assert mailoutbox == []


def test_who_may_decide_is_reminded_at_half_and_at_nine_tenths_once(people, pending, mailoutbox):
    for percent in (51, 60, 91, 95):
        reminding.remind(at(pending, percent))
    assert told(mailoutbox) == deciders(people)
    assert len(mailoutbox) == 2 * len(deciders(people))


def test_a_reminder_is_a_line_with_what_is_left_and_a_link(pending, mailoutbox):
    reminding.remind(at(pending, 51))
    mail = mailoutbox[0]
    assert mail.subject.startswith(f"[VeeamSec] {pending} still waits for your decision: ")
    assert mail.body == f"http://localhost:8000/requests/{pending.pk}/\n"


def test_after_a_night_off_the_later_mark_alone_is_told(people, pending, mailoutbox):
    reminding.remind(at(pending, 92))
    assert len(mailoutbox) == len(deciders(people))


def test_who_voted_is_not_reminded(people, ask, mailoutbox):
    new_policy(quorum=2)
    request = ask()
    approve(people.dpo, request)
    reminding.remind(at(request, 51))
    assert people.dpo.person.email not in told(mailoutbox)


@pytest.mark.parametrize("percent", [100, 150])
def test_what_is_overdue_is_not_reminded_of(pending, mailoutbox, percent):
    assert reminding.remind(at(pending, percent)) == 0


def test_what_is_decided_is_not_reminded_of(people, pending, mailoutbox):
    approve(people.dpo, pending)
    assert reminding.remind(at(pending, 60)) == 0


def morning(request, hour: int) -> datetime:
    day = (request.created_at + timedelta(days=1)).astimezone(UTC)
    return day.replace(hour=hour, minute=5)


def test_a_digest_comes_once_a_day_in_the_morning(people, pending, mailoutbox):
    assert reminding.digest(morning(pending, 6)) == 0
    assert reminding.digest(morning(pending, 7)) == len(deciders(people))
    assert reminding.digest(morning(pending, 8)) == 0
    assert reminding.digest(morning(pending, 8) + timedelta(days=1)) == len(deciders(people))


def test_a_digest_names_what_waits_for_its_reader_alone(people, ask, make_job, mailoutbox):
    first, second = ask(), ask(make_job("Mails"), by=people.dpo)
    reminding.digest(morning(second, 9))
    bodies = {mail.to[0]: (mail.subject, mail.body) for mail in mailoutbox}
    subject, body = bodies[people.ciso.person.email]
    assert subject == "[VeeamSec] 2 requests wait for your decision"
    assert str(first.pk) in body
    assert str(second.pk) in body
    assert str(second.pk) not in bodies[people.dpo.person.email][1]


def test_nothing_waits_nobody_is_told(people, mailoutbox):
    assert reminding.digest(datetime(2031, 5, 5, 9, tzinfo=UTC)) == 0
    assert mailoutbox == []


def quick() -> int:
    return Alarm.objects.filter(kind=Kind.QUICK_APPROVAL).count()


@pytest.mark.alarm("approval.quick")
def test_an_administrator_s_quick_approval_is_told(people, pending):
    approve(people.administrator, pending)
    alarm = Alarm.objects.get(kind=Kind.QUICK_APPROVAL)
    assert (alarm.subject_id, alarm.state) == (str(pending.pk), "raised")
    alarms.close(alarm.pk, by=people.dpo, note="It was read before.", interactive=True)


def test_security_s_quick_approval_is_none(people, pending):
    approve(people.dpo, pending)
    assert quick() == 0


def test_an_administrator_who_took_time_to_read_is_not_told_of(people, pending):
    with time_machine.travel(pending.created_at + timedelta(minutes=2)):
        approve(people.administrator, pending)
    assert quick() == 0
