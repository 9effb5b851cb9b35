"""P3: a member stops another at once; alone, for 72 hours, and with tied hands until a third confirms."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts import selectors
from accounts.errors import (
    InteractiveRequired,
    Invalid,
    NotEligible,
    NotFound,
    NotNow,
    StepUpRequired,
)
from accounts.models import Notice, Role, SecurityMember, Suspension, User
from accounts.services import alarms, notices, suspensions
from accounts.services.stepup import StepUp
from audit.models import Alarm, Entry
from tests.accounts.factories import add_totp, make_security, make_user
from tests.accounts.suspending import REASON, begun, confirm, forge_suspension, lift, seat_of, suspend

pytestmark = pytest.mark.django_db


@pytest.fixture
def members() -> list[User]:
    found = make_security(("dora", "carl", "tess"))
    for user in found:
        add_totp(user)
    return found


def test_p3_a_suspended_member_is_no_security_any_more(members):
    """P3"""
    dora, carl, _ = members
    suspend(dora, carl)
    assert not carl.is_security
    assert selectors.active_seats() == 2


def test_p3_a_suspension_raises_the_alarm_and_tells_all_members(members):
    """P3"""
    dora, carl, _ = members
    suspend(dora, carl)
    assert Alarm.objects.get(kind="member.suspended").state == Alarm.State.RAISED
    assert set(Notice.objects.values_list("user__username", flat=True)) == {"dora", "carl", "tess"}
    assert Entry.objects.filter(event="member.suspended").count() == 1


@pytest.mark.alarm("security_role.too_small")
def test_p3_too_few_active_members_raise_an_alarm_of_their_own(members):
    """P3"""
    dora, carl, tess = members
    suspend(dora, carl)
    suspend(tess, dora)
    assert Alarm.objects.filter(kind="security_role.too_small", resolved_at=None).exists()
    with time_machine.travel(timezone.now() + timedelta(hours=73)):
        suspensions.settle()


def test_p3_the_suspender_may_only_reject(members):
    """P3"""
    dora, carl, tess = members
    suspend(dora, carl)
    assert dora.facts().may_only_reject
    assert not tess.facts().may_only_reject


def test_p3_a_confirmation_frees_the_suspender(members):
    """P3"""
    dora, carl, tess = members
    suspend(dora, carl)
    confirm(tess, carl)
    assert not dora.facts().may_only_reject


def test_p3_unconfirmed_it_ends_after_72_hours(members):
    """P3: by the clock, whether a beat came or not."""
    dora, carl, _ = members
    suspend(dora, carl)
    with time_machine.travel(timezone.now() + timedelta(hours=71)):
        assert not carl.is_security
    with time_machine.travel(timezone.now() + timedelta(hours=72, seconds=1)):
        assert carl.is_security
        assert not dora.facts().may_only_reject


def test_p3_confirmed_it_lasts(members):
    """P3"""
    dora, carl, tess = members
    suspend(dora, carl)
    confirm(tess, carl)
    with time_machine.travel(timezone.now() + timedelta(days=400)):
        assert not carl.is_security


@pytest.mark.alarm("member.suspended")
def test_p3_two_members_lift_it(members):
    """P3"""
    dora, carl, tess = members
    suspend(dora, carl)
    confirm(tess, carl)
    lift(dora, carl)
    assert not carl.is_security
    lift(tess, carl)
    assert carl.is_security
    assert Alarm.objects.get(kind="member.suspended").state == Alarm.State.RESOLVED


def test_p3_one_member_does_not_lift_it_twice(members):
    """P3"""
    dora, carl, _ = members
    suspend(dora, carl)
    lift(dora, carl)
    with pytest.raises(NotNow):
        lift(dora, carl)


def test_p3_who_is_suspended_lifts_nothing(members):
    """P3"""
    dora, carl, _ = members
    suspend(dora, carl)
    with pytest.raises(NotEligible):
        lift(carl, carl)


def test_p3_the_suspender_does_not_confirm(members):
    """P3: a third one does."""
    dora, carl, _ = members
    suspend(dora, carl)
    with pytest.raises(NotEligible, match="third"):
        confirm(dora, carl)


def test_p3_one_open_suspension_a_suspender(members):
    """P3"""
    dora, carl, tess = members
    suspend(dora, carl)
    with pytest.raises(NotEligible, match="one at a time"):
        suspend(dora, tess)


def test_p3_never_the_same_member_twice_in_30_days(members):
    """P3"""
    dora, carl, _ = members
    suspend(dora, carl)
    with (
        time_machine.travel(timezone.now() + timedelta(days=29)),
        pytest.raises(NotEligible, match="30 days"),
    ):
        suspend(dora, carl)


def test_p3_nobody_suspends_themselves(members):
    """P3"""
    with pytest.raises(NotEligible):
        suspend(members[0], members[0])


def test_p3_who_is_suspended_suspends_nobody(members):
    """P3"""
    dora, carl, tess = members
    suspend(dora, carl)
    with pytest.raises(NotEligible):
        suspend(carl, tess)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.ENTERPRISE, Role.OPERATOR, Role.AUDITOR])
def test_p3_nobody_outside_security_suspends(members, role):
    """P3"""
    outsider = make_user("otto", role=role)
    add_totp(outsider)
    with pytest.raises(NotEligible):
        suspend(outsider, members[0])


@pytest.mark.alarm("member.doubted")
def test_p3_an_administrator_may_raise_the_alarm(members):
    """P3: and nothing changes by it."""
    anna = make_user("anna", role=Role.ADMINISTRATOR)
    suspensions.doubt(seat_of(members[0]), by=anna, reason="They asked me for my code.")
    assert Alarm.objects.get(kind="member.doubted").severity == Alarm.Severity.CRITICAL
    assert members[0].is_security
    alarms.close(Alarm.objects.get().pk, by=members[1], note="A drill.", interactive=True)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR, None])
def test_p3_others_raise_no_alarm(members, role):
    """P3"""
    with pytest.raises(NotEligible):
        suspensions.doubt(seat_of(members[0]), by=make_user("otto", role=role), reason="x")


def test_p3_a_superuser_has_no_say(members):
    """P3, P14"""
    root = make_user("root", is_superuser=True, is_staff=True)
    add_totp(root)
    with pytest.raises(NotEligible):
        suspend(root, members[0])
    with pytest.raises(NotEligible):
        suspensions.doubt(seat_of(members[0]), by=root, reason="x")


def test_p8_a_token_suspends_nobody(members):
    """P8"""
    member = seat_of(members[1])
    with pytest.raises(InteractiveRequired):
        suspensions.suspend(
            member, by=members[0], reason=REASON, step_up=StepUp("x", totp="1"), interactive=False
        )


def test_p8_a_step_up_is_for_one_act_on_one_seat_with_one_reason(members):
    """P8"""
    dora, carl, tess = members
    step_up = begun(dora, seat_of(carl), "suspend", REASON)
    with pytest.raises(StepUpRequired):
        suspensions.suspend(seat_of(tess), by=dora, reason=REASON, step_up=step_up, interactive=True)
    step_up = begun(dora, seat_of(carl), "suspend", REASON)
    with pytest.raises(StepUpRequired):
        suspensions.suspend(seat_of(carl), by=dora, reason="Another.", step_up=step_up, interactive=True)


def test_p3_the_sessions_of_the_suspended_end(members, browser):
    """P3: at once."""
    dora, carl, _ = members
    browser.force_login(carl)
    assert browser.get("/account/").status_code == 200
    suspend(dora, carl)
    assert browser.get("/account/").status_code == 302


def test_a_suspension_needs_a_reason(members):
    with pytest.raises(Invalid):
        suspend(members[0], members[1], "  ")


def test_an_unknown_seat_is_not_found(members):
    with pytest.raises(NotFound):
        suspensions.challenge(members[0].pk, by=members[0], act="suspend", reason="x")


def test_the_beat_notes_the_end(members):
    dora, carl, _ = members
    suspend(dora, carl)
    with time_machine.travel(timezone.now() + timedelta(hours=73)):
        assert suspensions.settle() == 1
        assert suspensions.settle() == 0
    assert Suspension.objects.get().ended_at == Suspension.objects.get().ends_at
    assert Alarm.objects.get(kind="member.suspended").state == Alarm.State.RESOLVED


def test_p3_the_end_of_a_former_suspension_ends_no_later_one(members):
    """P3: also when it is noted only after another member has suspended again."""
    dora, carl, tess = members
    began, ended = (timezone.now() - timedelta(hours=hours) for hours in (73, 1))
    forge_suspension(dora, tess, began_at=began, ends_at=ended)
    suspend(carl, tess)
    suspensions.settle()
    assert not tess.is_security
    assert Suspension.objects.filter(ended_at=None).count() == 1


def test_a_notice_is_a_line_and_a_link(members, mailoutbox):
    suspend(members[0], members[1])
    notices.send(Notice.objects.first().pk)
    assert mailoutbox[0].subject == "[VeeamSec] A member of Security was suspended"
    assert "http://localhost:8000/people/" in mailoutbox[0].body


def test_p13_history_of_seats_keeps_its_suspensions(members):
    """P13"""
    dora, carl, _ = members
    suspend(dora, carl)
    SecurityMember.objects.filter(user=carl).update(until=timezone.now())
    assert Suspension.objects.count() == 1
    assert not dora.facts().may_only_reject
