"""P3: what PostgreSQL refuses about suspensions, whoever asks; and two at once."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.errors import NotEligible, NotNow
from accounts.models import SecurityMember, Suspension, SuspensionVoice, User
from accounts.services import suspensions
from tests.accounts.factories import add_totp, make_security
from tests.accounts.suspending import REASON, begun, forge_suspension, seat_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def members() -> list[User]:
    return make_security(("dora", "carl", "tess"))


def refused(act) -> str:
    """The name of the rule that an act broke."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        act()
    return caught.value.__cause__.diag.constraint_name


def voice(suspension: Suspension, user: User, says: str) -> SuspensionVoice:
    return SuspensionVoice.objects.create(suspension=suspension, seat_id=seat_of(user), says=says, proof={})


def test_p3_a_seat_follows_its_suspension(members):
    """P3"""
    dora, carl, _ = members
    made = forge_suspension(dora, carl)
    seat = SecurityMember.objects.get(user=carl)
    assert (seat.suspended_at, seat.suspended_until) == (made.began_at, made.ends_at)


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ("suspension_ends", {"ends_at": None}),
        ("suspension_ends", {"ends_at": timezone.now() + timedelta(days=9)}),
        ("suspension_ends", {"ended_at": timezone.now()}),
    ],
)
def test_p3_none_begins_confirmed_or_long(members, rule, fields):
    """P3"""
    assert refused(lambda: forge_suspension(members[0], members[1], **fields)) == rule


def test_p3_one_open_suspension_a_suspender(members):
    """P3"""
    forge_suspension(members[0], members[1])
    rule = "one_suspension_a_suspender"
    assert refused(lambda: forge_suspension(members[0], members[2])) == rule


def test_p3_not_twice_in_30_days(members):
    """P3"""
    first = forge_suspension(members[0], members[1])
    voice(first, members[0], "lift")
    voice(first, members[2], "lift")
    first.ended_at = timezone.now()
    first.save(update_fields=["ended_at"])
    assert refused(lambda: forge_suspension(members[0], members[1])) == "not_twice_in_30_days"


def test_p3_neither_self_nor_by_or_of_who_is_suspended(members):
    """P3"""
    dora, carl, tess = members
    assert refused(lambda: forge_suspension(dora, dora)) == "suspension_of_another"
    forge_suspension(dora, carl)
    assert refused(lambda: forge_suspension(carl, tess)) == "suspension_of_another"
    assert refused(lambda: forge_suspension(tess, carl)) == "suspension_of_another"


def test_p3_it_lasts_only_by_a_third_member(members):
    """P3"""
    dora, carl, tess = members
    made = forge_suspension(dora, carl)
    rows = Suspension.objects.filter(pk=made.pk)
    assert refused(lambda: rows.update(ends_at=None)) == "suspension_confirmed_by_a_third"
    later = made.ends_at + timedelta(days=1)
    assert refused(lambda: rows.update(ends_at=later)) == "suspension_confirmed_by_a_third"
    for user in (dora, carl):
        assert refused(lambda user=user: voice(made, user, "confirm")) == "voice_of_another"
    voice(made, tess, "confirm")
    assert rows.update(ends_at=None) == 1
    assert SecurityMember.objects.get(user=carl).suspended_until is None


def test_p3_two_members_lift_it(members):
    """P3"""
    dora, carl, tess = members
    made = forge_suspension(dora, carl)
    rows = Suspension.objects.filter(pk=made.pk)
    assert refused(lambda: voice(made, carl, "lift")) == "voice_of_another"
    voice(made, dora, "lift")
    assert refused(lambda: rows.update(ended_at=timezone.now())) == "suspension_lifted_by_two"
    voice(made, tess, "lift")
    assert rows.update(ended_at=timezone.now()) == 1
    assert SecurityMember.objects.get(user=carl).suspended_at is None


def over_and_anew(members: list[User]) -> tuple[Suspension, Suspension]:
    """A suspension whose end nobody noted, and a newer one of the same member."""
    former = forge_suspension(members[0], members[1], ends_at=timezone.now() - timedelta(hours=1))
    return former, forge_suspension(members[2], members[1])


def test_p3_the_late_end_of_a_former_suspension_frees_nobody(members):
    """P3: whoever writes it, by SQL too."""
    former, newer = over_and_anew(members)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_suspension SET ended_at = ends_at WHERE id = %s", [former.pk])
    seat = SecurityMember.objects.get(user=members[1])
    assert seat.is_suspended()
    assert (seat.suspended_at, seat.suspended_until) == (newer.began_at, newer.ends_at)


def test_p3_who_lifts_a_former_suspension_lifts_no_newer_one(members):
    """P3: the newer one that a third member confirmed lasts on."""
    dora, carl, tess = members
    first = forge_suspension(dora, carl, ends_at=timezone.now() + timedelta(milliseconds=500))
    for user in (dora, tess):
        voice(first, user, "lift")
    time.sleep(0.6)
    second = forge_suspension(tess, carl)
    voice(second, dora, "confirm")
    Suspension.objects.filter(pk=second.pk).update(ends_at=None)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_suspension SET ended_at = now() WHERE id = %s", [first.pk])
    seat = SecurityMember.objects.get(user=carl)
    assert (seat.suspended_at, seat.suspended_until) == (second.began_at, None)


def test_p3_an_end_in_the_future_frees_nobody_now(members):
    """P3: nor does one that only repeats what was so."""
    made = forge_suspension(members[0], members[1])
    Suspension.objects.filter(pk=made.pk).update(ended_at=made.ends_at)
    assert SecurityMember.objects.get(user=members[1]).is_suspended()


@pytest.mark.parametrize("column", ["reason", "proof", "began_at", "member_id", "suspender_id"])
def test_p13_what_was_said_stays(members, column):
    """P13"""
    made = forge_suspension(members[0], members[1])
    values = {
        "reason": "other",
        "proof": {"a": 1},
        "began_at": timezone.now() - timedelta(days=40),
        "member_id": seat_of(members[2]),
        "suspender_id": seat_of(members[2]),
    }
    rows = Suspension.objects.filter(pk=made.pk)
    assert refused(lambda: rows.update(**{column: values[column]})) == "suspension_fixed"


def test_p13_no_suspension_is_deleted(members):
    """P13"""
    forge_suspension(members[0], members[1])
    assert refused(lambda: Suspension.objects.all().delete()) == "suspension_stays"


def test_p3_the_web_process_writes_no_seat(as_role):
    """P3: the trigger does, on its behalf."""
    import psycopg

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("web").execute("UPDATE accounts_securitymember SET suspended_at = NULL")


@pytest.mark.django_db(transaction=True)
def test_p3_two_members_suspending_each_other_at_once_do_not_both_succeed():
    """P3: on two connections."""
    dora, carl, _ = make_security(("dora", "carl", "tess"))
    for user in (dora, carl):
        add_totp(user)
    pairs = [(dora, carl), (carl, dora)]
    given = [begun(by, seat_of(user), "suspend", REASON) for by, user in pairs]
    barrier, results = threading.Barrier(2), [None, None]

    def run(place: int) -> None:
        by, user = pairs[place]
        member = seat_of(user)
        try:
            barrier.wait(timeout=10)
            results[place] = suspensions.suspend(
                member, by=by, reason=REASON, step_up=given[place], interactive=True
            )
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert Suspension.objects.count() == 1
    assert [type(one) for one in results if isinstance(one, Exception)] in ([NotEligible], [NotNow])
