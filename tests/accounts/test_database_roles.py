"""P3, P4: what the database refuses its own roles, web and worker, and what two of them do at once."""

from collections.abc import Callable
from threading import Barrier, Thread

import psycopg
import pytest

from accounts.models import Role, SecurityRole, User
from tests.accounts.factories import make_security, make_user

pytestmark = pytest.mark.django_db(transaction=True)

END_SEAT = "UPDATE accounts_securitymember SET until = now() WHERE user_id = %s"


def test_the_web_writes_no_seat(as_role: Callable[[str], psycopg.Connection]) -> None:
    """P3: seats are the worker's."""
    dora, *_ = make_security(("a", "b", "c"))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("web").execute(END_SEAT, [dora.pk])


def test_the_web_writes_no_roster(as_role: Callable[[str], psycopg.Connection]) -> None:
    """P4: rosters are the worker's."""
    insert = "INSERT INTO accounts_roster VALUES (1, '', '{}', now())"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("web").execute(insert)


def test_the_worker_rewrites_no_roster(as_role: Callable[[str], psycopg.Connection]) -> None:
    """P4: insert only."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("worker").execute("UPDATE accounts_roster SET body = ''")


def test_the_web_makes_no_administrator_once_sealed(as_role: Callable[[str], psycopg.Connection]) -> None:
    """P4: an administrator comes from a decided request."""
    make_security()
    user = make_user()
    insert = "INSERT INTO accounts_rolegrant VALUES (gen_random_uuid(), 'administrator', now(), NULL, %s)"
    with pytest.raises(psycopg.errors.CheckViolation):
        as_role("web").execute(insert, [user.pk])


def test_the_web_ends_no_administrator(as_role: Callable[[str], psycopg.Connection]) -> None:
    """P4: nor is one removed otherwise."""
    make_security()
    user = make_user(role=Role.ADMINISTRATOR)
    with pytest.raises(psycopg.errors.CheckViolation):
        as_role("web").execute("UPDATE accounts_rolegrant SET until = now() WHERE user_id = %s", [user.pk])


def test_the_web_deactivating_a_member_is_counted(as_role: Callable[[str], psycopg.Connection]) -> None:
    """P3: the count sees every seat, whatever the role may read or write."""
    dora, _ = make_security()
    with pytest.raises(psycopg.errors.CheckViolation):
        as_role("web").execute("UPDATE accounts_user SET is_active = false WHERE id = %s", [dora.pk])


def test_the_web_signs_in_while_the_role_is_locked(as_role: Callable[[str], psycopg.Connection]) -> None:
    """P3: a login does not take the role's lock."""
    dora, _ = make_security()
    with as_role("worker").cursor() as holder:
        holder.execute("BEGIN")
        holder.execute("SELECT 1 FROM accounts_securityrole FOR UPDATE")
        web = as_role("web")
        web.execute("SET lock_timeout = '500ms'")
        web.execute("UPDATE accounts_user SET last_login = now(), is_active = true WHERE id = %s", [dora.pk])
        holder.execute("ROLLBACK")


def test_two_removals_at_once_leave_two_seats(as_role: Callable[[str], psycopg.Connection]) -> None:
    """P3: of two legal removals of different seats only one passes."""
    members = make_security(("a", "b", "c"))
    start, outcomes = Barrier(2), []

    def remove(user: User, worker: psycopg.Connection) -> None:
        start.wait(5)
        try:
            worker.execute(END_SEAT, [user.pk])
            outcomes.append("removed")
        except psycopg.errors.CheckViolation:
            outcomes.append("refused")

    threads = [Thread(target=remove, args=(user, as_role("worker"))) for user in members[:2]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(outcomes) == ["refused", "removed"]


def test_interleaved_removals_leave_two_seats(as_role: Callable[[str], psycopg.Connection]) -> None:
    """P3: the second waits for the first, then counts what it left."""
    a, b, _ = make_security(("a", "b", "c"))
    first, second, outcomes = as_role("worker"), as_role("worker"), []
    first.execute("BEGIN")
    first.execute(END_SEAT, [a.pk])

    def remove() -> None:
        try:
            second.execute(END_SEAT, [b.pk])
            outcomes.append("removed")
        except psycopg.errors.CheckViolation:
            outcomes.append("refused")

    thread = Thread(target=remove)
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    first.execute("COMMIT")
    thread.join(10)
    assert outcomes == ["refused"]


def test_a_snapshot_of_before_does_not_count(as_role: Callable[[str], psycopg.Connection]) -> None:
    """P3: REPEATABLE READ would count a seat that has gone, so it is refused."""
    a, *_ = make_security(("a", "b", "c"))
    worker = as_role("worker")
    worker.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    with pytest.raises(psycopg.errors.CheckViolation, match="READ COMMITTED"):
        worker.execute(END_SEAT, [a.pk])


def test_the_seal_survives_the_worker(as_role: Callable[[str], psycopg.Connection]) -> None:
    """P3: the role's row cannot be deleted or opened."""
    make_security()
    for statement in (
        "DELETE FROM accounts_securityrole",
        "UPDATE accounts_securityrole SET sealed_at = NULL",
    ):
        with pytest.raises(psycopg.Error):
            as_role("worker").execute(statement)
    assert SecurityRole.objects.get().sealed_at


def test_the_web_does_what_it_must(as_role: Callable[[str], psycopg.Connection]) -> None:
    """P3: the refusals above leave the web its work: operators, codes, the role's lock."""
    make_security()
    user = make_user()
    web = as_role("web")
    web.execute("BEGIN")
    web.execute("SELECT sealed_at FROM accounts_securityrole FOR UPDATE")
    grant = "INSERT INTO accounts_rolegrant VALUES (gen_random_uuid(), 'operator', now(), NULL, %s)"
    web.execute(grant, [user.pk])
    web.execute("UPDATE accounts_user SET totp_last_step = 1, is_active = false WHERE id = %s", [user.pk])
    web.execute("COMMIT")
    assert user.role_grants.count() == 1


def test_the_worker_seals(as_role: Callable[[str], psycopg.Connection]) -> None:
    """P4: roster, seats and seal in one transaction, by the worker alone."""
    worker = as_role("worker")
    worker.execute("BEGIN")
    worker.execute("SELECT 1 FROM accounts_securityrole FOR UPDATE")
    worker.execute(
        "INSERT INTO accounts_roster (number, body, envelope, created_at) VALUES (1, '', '{}', now())"
    )
    insert = (
        "INSERT INTO accounts_securitymember (id, user_id, person_id, title, since)"
        " VALUES (gen_random_uuid(), %s, %s, 'dpo', now())"
    )
    for user in (make_user(), make_user()):
        worker.execute(insert, [user.pk, user.person_id])
    worker.execute("UPDATE accounts_securityrole SET sealed_at = now()")
    worker.execute("COMMIT")
    assert SecurityRole.objects.get().sealed_at
