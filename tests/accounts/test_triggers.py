"""What PostgreSQL refuses about people, whoever asks."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from accounts.models import Role, RoleGrant, Roster, SecurityMember
from accounts.triggers import TRIGGERS
from tests.accounts.factories import make_person, make_security, make_user, seat

pytestmark = pytest.mark.django_db

END_SEAT = "UPDATE accounts_securitymember SET until = now() WHERE user_id = %s"


def refused(statement: str, *values: Any) -> str:
    """Run a statement that must fail and return the name of the rule."""
    connection.check_constraints()
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
    return str(caught.value.__cause__.diag.constraint_name)


def done(statement: str, *values: Any) -> None:
    """Run a statement that must pass."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_ending_one_of_two_seats_is_refused() -> None:
    """P3: never fewer than two seats."""
    dora, _ = make_security()
    assert refused(END_SEAT, dora.pk) == "security_role_two_seats"


def test_ending_one_of_three_seats_passes() -> None:
    """P3: the third may go."""
    *_, third = make_security(("a", "b", "c"))
    done(END_SEAT, third.pk)
    assert SecurityMember.objects.filter(until=None).count() == 2


def test_two_seats_removed_at_once_are_refused() -> None:
    """P3: one statement that would leave one seat."""
    make_security(("a", "b", "c"))
    two = "UPDATE accounts_securitymember SET until = now() WHERE title IN ('dpo', 'ciso')"
    assert refused(two) == "security_role_two_seats"


def test_deactivating_one_of_two_is_refused() -> None:
    """P3: a seat counts only with an active account."""
    dora, _ = make_security()
    assert (
        refused("UPDATE accounts_user SET is_active = false WHERE id = %s", dora.pk)
        == "security_role_two_seats"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM accounts_securitymember",
        "TRUNCATE accounts_securitymember CASCADE",
        "DELETE FROM accounts_securityrole",
        "TRUNCATE accounts_securityrole",
        "UPDATE accounts_securityrole SET sealed_at = NULL",
        "UPDATE accounts_securityrole SET sealed_at = now() - interval '1 day'",
        "TRUNCATE accounts_user CASCADE",
        "UPDATE accounts_securitymember SET title = 'other'",
        "UPDATE accounts_securitymember SET since = now() - interval '1 year'",
    ],
)
def test_rewriting_the_role_is_refused(statement: str) -> None:
    """P3: neither seats nor the seal are taken away."""
    make_security(("a", "b", "c"))
    assert refused(statement)


def test_deleting_a_member_account_is_refused() -> None:
    """P3: an account that is gone holds no seat."""
    dora, _ = make_security()
    assert refused("DELETE FROM accounts_user WHERE id = %s", dora.pk) == "security_role_two_seats"


def test_deleting_the_account_of_a_third_member_is_refused() -> None:
    """P13: history holds the account."""
    *_, third = make_security(("a", "b", "c"))
    with pytest.raises(ProtectedError):
        third.delete()


def test_sealing_with_one_seat_is_refused() -> None:
    """P3: the seal needs two."""
    seat(make_user())
    assert refused("UPDATE accounts_securityrole SET sealed_at = now()") == "security_role_two_seats"


def test_an_ended_seat_is_not_taken_up_again() -> None:
    """P4: a seat comes from a request."""
    *_, third = make_security(("a", "b", "c"))
    done(END_SEAT, third.pk)
    again = "UPDATE accounts_securitymember SET until = NULL WHERE user_id = %s"
    assert refused(again, third.pk) == "security_seat_ends_once"


def test_moving_a_seat_to_another_person_is_refused() -> None:
    """P3: a seat is not handed on."""
    dora, _ = make_security()
    other = make_user()
    moved = "UPDATE accounts_securitymember SET user_id = %s, person_id = %s WHERE user_id = %s"
    assert refused(moved, other.pk, other.person_id, dora.pk) == "security_seat_fixed"


def test_moving_an_account_to_another_person_is_refused() -> None:
    """P14: whose account it is stays."""
    dora, carl = make_security()
    moved = "UPDATE accounts_user SET person_id = %s WHERE id = %s"
    assert refused(moved, carl.person_id, dora.pk) == "user_is_whose"


def test_turning_a_service_account_human_is_refused() -> None:
    """P8: a service account never decides."""
    service = make_user(role=Role.SERVICE)
    assert refused("UPDATE accounts_user SET is_human = true WHERE id = %s", service.pk) == "user_is_whose"


def test_a_seat_for_another_person_than_the_accounts_is_refused() -> None:
    """P3: seats count persons, so the person must be the account's."""
    user, other = make_user(), make_person()
    with pytest.raises(IntegrityError), transaction.atomic():
        SecurityMember.objects.create(user=user, person=other, title="dpo")


def test_a_seat_for_a_service_account_is_refused() -> None:
    """P8: only humans sit."""
    with pytest.raises(IntegrityError), transaction.atomic():
        seat(make_user(is_human=False))


def test_two_accounts_of_one_person_are_one_seat() -> None:
    """P3: one person, one seat."""
    first = make_user()
    seat(first)
    with pytest.raises(IntegrityError), transaction.atomic():
        seat(make_user(person=first.person))


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ADMINISTRATOR, Role.ENTERPRISE, Role.SERVICE])
def test_a_seat_excludes_roles_of_the_backup_team(role: Role) -> None:
    """P4: per person, so another account of hers gets no role either."""
    dora, _ = make_security()
    other = make_user(person=dora.person)
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleGrant.objects.create(user=other, role=role)


def test_a_role_of_the_backup_team_excludes_a_seat() -> None:
    """P4: the other direction."""
    operator = make_user(role=Role.OPERATOR)
    with pytest.raises(IntegrityError), transaction.atomic():
        seat(make_user(person=operator.person))


def test_an_auditor_may_take_a_seat() -> None:
    """P4: reading is no role of the backup team."""
    assert seat(make_user(role=Role.AUDITOR)).pk


def test_deleting_a_grant_is_refused() -> None:
    """P13: history stays."""
    make_user(role=Role.OPERATOR)
    assert refused("DELETE FROM accounts_rolegrant") == "role_grant_stays"


@pytest.mark.parametrize(
    "statement",
    ["UPDATE accounts_roster SET number = 2", "DELETE FROM accounts_roster", "TRUNCATE accounts_roster"],
)
def test_rewriting_a_roster_is_refused(statement: str) -> None:
    """P4: rosters are only added."""
    Roster.objects.create(number=1, body=b"{}", envelope={})
    assert refused(statement) in ("roster_stays", "rosters_stay")


def test_a_gap_in_the_rosters_is_refused() -> None:
    """P4: no roster is left out."""
    with pytest.raises(IntegrityError), transaction.atomic():
        Roster.objects.create(number=2, body=b"{}", envelope={})


def test_a_temporary_table_is_not_counted() -> None:
    """P3: a session cannot put a table of its own in place of the seats."""
    dora, _ = make_security()
    done("CREATE TEMP TABLE accounts_securityrole AS SELECT 1 AS id, NULL::timestamptz AS sealed_at")
    assert refused("UPDATE public.accounts_user SET is_active = false WHERE id = %s", dora.pk)


def test_every_trigger_of_the_list_is_in_the_database() -> None:
    """P3: the list is what is there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        found = {name for (name,) in cursor.fetchall()}
    assert {trigger.name for trigger in TRIGGERS} <= found
