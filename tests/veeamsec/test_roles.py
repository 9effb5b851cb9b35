"""The private servers and their roles, as tests use them."""

import psycopg
import pytest


def test_web_may_not_make_tables(as_role):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("web").execute("CREATE TABLE mine (x int)")


def test_worker_may_not_touch_migrations(as_role):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("worker").execute("DELETE FROM django_migrations")
