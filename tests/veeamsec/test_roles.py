"""What each database role may do."""

import psycopg
import pytest
from django.db import connection

from veeamsec.roles import apply_grants

DENIED = psycopg.errors.InsufficientPrivilege


@pytest.mark.parametrize("role", ["web", "worker"])
def test_servants_make_no_tables(as_role, role):
    with pytest.raises(DENIED):
        as_role(role).execute("CREATE TABLE mine (x int)")


@pytest.mark.parametrize("role", ["web", "worker"])
def test_servants_do_not_touch_migrations(as_role, role):
    with pytest.raises(DENIED):
        as_role(role).execute("DELETE FROM django_migrations")


@pytest.mark.parametrize("role", ["web", "worker"])
def test_servants_do_not_truncate(as_role, role):
    with pytest.raises(DENIED):
        as_role(role).execute("TRUNCATE accounts_person CASCADE")


@pytest.mark.parametrize("role", ["web", "worker"])
def test_servants_do_not_switch_triggers_off(as_role, role):
    with pytest.raises(DENIED):
        as_role(role).execute("SET session_replication_role = replica")


@pytest.mark.parametrize("role", ["web", "worker"])
@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET event = 1", "DELETE FROM audit_entry"])
def test_servants_do_not_rewrite_the_log(as_role, role, statement):
    """P12: the log is append-only for whoever writes it."""
    with pytest.raises(DENIED):
        as_role(role).execute(statement)


def test_nobody_else_connects(as_role):
    rows = as_role("owner").execute(
        "SELECT rolname FROM pg_roles WHERE has_database_privilege(rolname, 'veeamsec', 'CONNECT')"
        " AND NOT rolsuper AND rolname NOT LIKE 'pg\\_%'"
    )
    assert {name for (name,) in rows} == {"veeamsec_owner", "veeamsec_web", "veeamsec_worker"}


def test_grants_apply_twice(db, as_role):
    with connection.cursor() as cursor:
        apply_grants(cursor)
