"""Who is told of an alarm, who takes it on, and who ends what is over already."""

import smtplib
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from accounts.errors import Invalid, NotEligible, NotFound
from accounts.models import Role, SecurityMember, User
from accounts.services import alarms, suspensions
from audit import selectors
from audit import services as audit
from audit.alarms import Kind
from audit.models import Alarm, Entry
from tests.accounts.factories import add_totp, make_security, make_user
from tests.accounts.suspending import suspend

pytestmark = pytest.mark.django_db


@pytest.fixture
def members() -> list[User]:
    found = make_security(("dora", "carl", "tess"))
    for user in found:
        add_totp(user)
    return found


@pytest.fixture
def administrator() -> User:
    return make_user("adam", role=Role.ADMINISTRATOR)


@pytest.fixture
def operator() -> User:
    return make_user("olga", role=Role.OPERATOR)


def raised(kind: Kind = Kind.DRIFT, text: str = "The keyring is another one.", subject=None) -> Alarm:
    thing = subject or ("encryption.job", uuid4())
    with audit.act(by=audit.WORKER, subject=thing):
        return audit.raise_alarm_within(kind, thing, Alarm.Severity.CRITICAL, text)


def resolved(alarm: Alarm) -> None:
    with audit.act(by=audit.WORKER, subject=(alarm.subject_type, alarm.subject_id)):
        audit.resolve_alarm_within(alarm.kind, (alarm.subject_type, alarm.subject_id))


def told(mailoutbox) -> set[str]:
    return {address for mail in mailoutbox for address in mail.to}


def address(user: User) -> str:
    return user.email or user.person.email


def test_what_concerns_everybody_is_told_to_security_and_to_who_backs_up(
    members, administrator, operator, mailoutbox
):
    make_user("audrey", role=Role.AUDITOR)
    alarms.tell(raised().pk)
    assert told(mailoutbox) == {address(user) for user in (*members, administrator, operator)}
    assert all(len(mail.to) == 1 for mail in mailoutbox)


def test_what_concerns_backups_is_not_told_to_security(members, administrator, mailoutbox):
    alarms.tell(raised(Kind.JOB_FAILED).pk)
    assert told(mailoutbox) == {address(administrator)}


def test_a_doubt_about_a_member_is_told_to_security_alone(members, administrator, mailoutbox):
    alarms.tell(raised(Kind.MEMBER_DOUBTED).pk)
    assert told(mailoutbox) == {address(user) for user in members}


def test_a_mail_says_what_is_wrong_what_helps_and_where(administrator, mailoutbox):
    alarms.tell(raised().pk)
    [mail] = mailoutbox
    assert mail.subject == "[VeeamSec] Critical: Changed behind our back"
    assert "The keyring is another one." in mail.body
    assert Kind.DRIFT.todo in mail.body
    assert mail.body.endswith("http://localhost:8000/alarms/\n")


def test_what_people_typed_reaches_no_header(administrator, mailoutbox):
    alarms.tell(raised(text="Files\r\nBcc: eve@example.com").pk)
    [mail] = mailoutbox
    assert set(mail.message().keys()) & {"Bcc", "Cc"} == set()
    assert (mail.recipients(), "\n" in mail.subject) == ([address(administrator)], False)


def test_many_at_once_are_one_mail(administrator, mailoutbox):
    found = [raised() for _ in range(30)]
    for alarm in found:
        alarms.tell(alarm.pk)
    [mail] = mailoutbox
    assert mail.subject == "[VeeamSec] 30 alarms, 30 of them critical"
    assert "… and 10 more." in mail.body


def test_its_end_is_told_too_and_nothing_twice(administrator, mailoutbox):
    alarm = raised()
    alarms.tell(alarm.pk)
    alarms.tell(alarm.pk)
    resolved(alarm)
    alarms.tell(alarm.pk)
    alarms.tell(alarm.pk)
    assert [mail.subject for mail in mailoutbox] == [
        "[VeeamSec] Critical: Changed behind our back",
        "[VeeamSec] Ended: Changed behind our back",
    ]


def test_an_address_that_is_refused_keeps_no_other_waiting(administrator, operator, mailoutbox, monkeypatch):
    from django.core.mail.backends import locmem

    send, refused = locmem.EmailBackend.send_messages, {address(administrator)}

    def picky(self, messages):
        if refused & set(messages[0].to):
            raise smtplib.SMTPRecipientsRefused({})
        return send(self, messages)

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", picky)
    alarm = raised()
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        alarms.tell(alarm.pk)
    assert told(mailoutbox) == {address(operator)}
    refused.clear()
    alarms.tell(alarm.pk)
    assert [mail.to for mail in mailoutbox] == [[address(operator)], [address(administrator)]]


def test_who_takes_it_on_is_named_and_told_to_the_log(operator):
    alarm = alarms.acknowledge(raised().pk, by=operator, note=" I look into it. ")
    assert (alarm.state, alarm.acknowledged_by, alarm.note) == (
        "acknowledged",
        operator.pk,
        "I look into it.",
    )
    entry = Entry.objects.get(event="alarm.acknowledged")
    assert (entry.actor, entry.facts["alarm"]) == (operator.pk, str(alarm.pk))


def test_a_second_note_leaves_the_first_name(operator, administrator):
    pk = raised().pk
    alarms.acknowledge(pk, by=operator)
    alarm = alarms.acknowledge(pk, by=administrator, note="Still at it.")
    assert (alarm.acknowledged_by, alarm.note) == (operator.pk, "Still at it.")
    assert Entry.objects.filter(event="alarm.acknowledged").count() == 2


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SERVICE, None])
def test_who_only_reads_takes_none_on(role):
    alarm = raised()
    with pytest.raises(NotEligible):
        alarms.acknowledge(alarm.pk, by=make_user("rita", role=role))
    assert Entry.objects.filter(event="attempt.refused").count() == 1
    alarm.refresh_from_db()
    assert alarm.state == Alarm.State.RAISED


def test_an_alarm_that_is_not_there_is_refused(operator):
    with pytest.raises(NotFound):
        alarms.acknowledge(uuid4(), by=operator)


@pytest.mark.parametrize("note", ["x" * 1001, "a\x00b", "a\u202eb"])
def test_a_note_that_does_not_show_as_what_it_is_is_refused(operator, note):
    with pytest.raises(Invalid):
        alarms.acknowledge(raised().pk, by=operator, note=note)


def test_security_ends_what_is_over_with_a_note(members):
    alarm = alarms.close(
        raised(Kind.QUICK_APPROVAL).pk, by=members[0], note="He had read it before.", interactive=True
    )
    assert (alarm.state, alarm.note) == ("resolved", "He had read it before.")
    assert [entry.event for entry in selectors.entries()][:2] == ["alarm.closed", "alarm.acknowledged"]


@pytest.mark.parametrize("interactive", [True, False])
def test_nobody_else_ends_it(administrator, members, interactive):
    alarm = raised(Kind.QUICK_APPROVAL)
    with pytest.raises(NotEligible):
        alarms.close(
            alarm.pk,
            by=administrator if interactive else members[0],
            note="It was me, and it was fine.",
            interactive=interactive,
        )
    assert selectors.open_alarms().count() == 1


def test_who_it_is_about_does_not_end_it(members):
    seat = SecurityMember.objects.get(user=members[1])
    alarm = suspensions.doubt(seat.pk, by=members[0], reason="He asked me for my code.")
    with pytest.raises(NotEligible):
        alarms.close(alarm.pk, by=members[1], note="Nonsense.", interactive=True)
    assert alarms.close(alarm.pk, by=members[2], note="A drill.", interactive=True).state == "resolved"


def test_a_suspended_member_ends_nothing(members):
    suspend(members[0], members[1])
    with pytest.raises(NotEligible):
        alarms.close(raised(Kind.QUICK_APPROVAL).pk, by=members[1], note="Fine.", interactive=True)


@pytest.mark.parametrize(
    ("kind", "note"), [(Kind.DRIFT, "It is fine."), (Kind.QUICK_APPROVAL, "  ")], ids=["cause", "no note"]
)
def test_what_ends_by_itself_or_without_a_note_is_not_ended(members, kind, note):
    with pytest.raises(Invalid):
        alarms.close(raised(kind).pk, by=members[0], note=note, interactive=True)


@pytest.mark.alarm("security_role.small")
def test_two_seats_are_told_and_a_third_ends_it(members):
    suspensions.settle()
    small = selectors.open_alarms().filter(kind=Kind.SECURITY_ROLE_SMALL)
    assert not small.exists()
    suspend(members[0], members[1])
    suspensions.settle()
    suspensions.settle()
    assert small.count() == 1
    with time_machine.travel(timezone.now() + timedelta(hours=73), tick=False):
        suspensions.settle()
        assert not small.exists()
