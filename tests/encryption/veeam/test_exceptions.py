"""Exceptions: loud until somebody answers for them; and both populations add up."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.errors import NotEligible
from accounts.models import Role
from audit.models import Entry
from encryption.errors import ServerRefused, Unknown
from encryption.models import EncryptionPassword, VeeamAdoption, VeeamDifference
from encryption.selectors import reconciliation as counts
from encryption.services.veeam import exceptions
from encryption.services.veeam.reconciliation import reconcile
from tests.encryption.conftest import make_user
from tests.encryption.veeam import lines
from tests.encryption.veeam.lines import job_line, line, password_line, receive
from tests.encryption.veeam.standin import name_of
from tests.encryption.veeam.told import GOLD, alarms, step, where

pytestmark = pytest.mark.django_db


@pytest.mark.alarm("veeam.verify_failed")
def test_a_wrong_value_that_somebody_tried_is_an_alarm_until_it_has_an_owner(house, admin):
    info = '<ModifiedUserInfo fullName="TECH\\user1" loginType="0" />'
    wrong = {"ID": GOLD, "UserFullInfo": info, "PasswordMatched": "False"}
    (event,) = receive(line(lines.VERIFIED, timezone.now(), **wrong))
    reconcile(house.pk)
    (text,) = alarms("veeam.verify_failed")
    assert r"TECH\user1" in text
    exceptions.assign([where(event).pk], by=admin, owner=admin.pk, note="asked them", server=house.pk)
    assert alarms("veeam.verify_failed") == []


@pytest.mark.parametrize("matched", ["True", ""])
def test_a_right_value_is_no_alarm(house, matched):
    receive(line(lines.VERIFIED, timezone.now(), ID=GOLD, UserName=lines.SOMEBODY, PasswordMatched=matched))
    reconcile(house.pk)
    assert alarms("veeam.verify_failed") == []


@pytest.mark.alarm("veeam.unexplained")
def test_an_exception_gets_an_owner_in_the_log(house, admin):
    (event,) = receive(password_line(lines.CHANGED, GOLD, timezone.now()))
    reconcile(house.pk)
    row = where(event)
    assert exceptions.assign([row.pk], by=admin, owner=admin.pk, note="a drill", server=house.pk) == 1
    row.refresh_from_db()
    assert (row.owner, row.note, alarms("veeam.unexplained")) == (admin, "a drill", [])
    entry = Entry.objects.filter(event="veeam.exception_assigned").get()
    assert (entry.facts["owner"], "drill" in str(entry.facts)) == (str(admin.pk), False)


def test_who_does_not_decide_neither_gives_nor_takes_exceptions(house, admin):
    (event,) = receive(password_line(lines.CHANGED, GOLD, timezone.now()))
    reconcile(house.pk)
    operator, row = make_user("oscar", Role.OPERATOR), where(event)
    for by, owner in ((operator, admin), (admin, operator)):
        with pytest.raises(NotEligible):
            exceptions.assign([row.pk], by=by, owner=owner.pk, note="x", server=house.pk)
    assert [user.username for user in exceptions.answerable()] == ["olivia"]


def test_an_edit_while_we_wrote_the_job_is_loud_until_it_has_an_owner(house, admin):
    """A job is written as a whole: theirs may be lost, whatever it was."""
    step()
    changes = "<changes><description/></changes>"
    (event,) = receive(job_line(name_of("Mail"), timezone.now(), changes=changes))
    reconcile(house.pk)
    row = where(event)
    assert (row.request, "whether it still holds" in row.why) == (None, True)
    assert alarms("veeam.unexplained")
    exceptions.assign([row.pk], by=admin, owner=admin.pk, note="It holds.", server=house.pk)
    assert alarms("veeam.unexplained") == []


def test_an_edit_of_other_settings_at_another_time_is_quiet(house):
    (event,) = receive(job_line(name_of("Mail"), timezone.now(), changes="<changes><description/></changes>"))
    reconcile(house.pk)
    assert where(event).why.startswith("Other settings")
    assert alarms("veeam.unexplained") == []


def test_what_is_settled_gets_no_owner(house, admin):
    step()
    (event,) = receive(password_line(lines.CHANGED, GOLD, timezone.now(), lines.OURS))
    reconcile(house.pk)
    with pytest.raises(Unknown):
        exceptions.assign([where(event).pk], by=admin, owner=admin.pk, note="x", server=house.pk)


@pytest.mark.parametrize("note", ["", "  ", "x" * 2001])
def test_an_owner_says_what_it_was(house, admin, note):
    (event,) = receive(password_line(lines.CHANGED, GOLD, timezone.now()))
    reconcile(house.pk)
    with pytest.raises(ServerRefused):
        exceptions.assign([where(event).pk], by=admin, owner=admin.pk, note=note, server=house.pk)


def test_the_populations_add_up(house, there, read, admin):
    """Every event and difference is in exactly one part, and the parts make the whole."""
    step(1)
    now = timezone.now()
    receive(*(password_line(lines.CHANGED, GOLD, now - timedelta(seconds=n), lines.OURS) for n in range(7)))
    receive(*(password_line(lines.CHANGED, uuid.uuid4(), now - timedelta(seconds=n)) for n in range(5)))
    there.change(GOLD, "another-Value-77", now.replace(microsecond=0) - timedelta(hours=2))
    there.add_password("Silver")
    read()
    reconcile(house.pk)
    first = counts.exceptions_of(house).filter(event__isnull=False).first()
    exceptions.assign([first.pk], by=admin, owner=admin.pk, note="x", server=house.pk)
    receive(password_line(lines.CHANGED, GOLD, now, r"TECH\late"))
    events = counts.population_of(counts.events_of(house))
    differences = counts.population_of(counts.differences_of(house))
    assert (events.total, events.settled, events.owned, events.unowned, events.waiting) == (13, 7, 1, 4, 1)
    for one in (events, differences):
        assert one.total == one.settled + one.owned + one.unowned + one.waiting
    assert differences.total == VeeamDifference.objects.count() == 2
    rows = counts.exceptions_of(house).count() + counts.settled_of(house).count()
    assert rows == events.total + differences.total - events.waiting - differences.waiting


def test_a_value_that_was_tried_for_adoption_is_whose_it_was(house, admin):
    now = timezone.now()
    password = EncryptionPassword.objects.get(hint="Gold")
    VeeamAdoption.objects.create(
        password=password, asked_by=admin.pk, person=admin.person_id, asked_at=now, state="wrong", done_at=now
    )
    event, other = receive(
        password_line(lines.VERIFIED, GOLD, now, lines.OURS, PasswordMatched="False"),
        password_line(lines.VERIFIED, uuid.uuid4(), now + timedelta(seconds=1), lines.OURS),
    )
    reconcile(house.pk)
    assert (where(event).owner, where(other).owner) == (admin, None)
    assert alarms("veeam.verify_failed") == []
