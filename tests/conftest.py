"""What all tests share: the database with its grants, its roles, a clock, a home with keys."""

from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import time_machine
from django.core.cache import cache
from django.core.management.commands import flush
from django.db import connection
from django.test import Client, TransactionTestCase

from encryption.crypto.providers import make_worker_keys
from tests.alarms import assert_ended
from tests.findings import assert_found
from veeamsec.home import Home
from veeamsec.roles import apply_grants

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """What a mark promises holds after its test: alarms raised and ended, findings of the analyzer."""
    result = yield
    for mark in pyfuncitem.iter_markers("alarm"):
        assert_ended(*mark.args)
    for mark in pyfuncitem.iter_markers("finds"):
        assert_found(*mark.args)
    return result


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """The test database with the grants and refusals of a real one."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        apply_grants(cursor)
        connection._test_serialized_contents = connection.creation.serialize_db_to_string()


@pytest.fixture(autouse=True, scope="session")
def _flush_without_triggers() -> Iterator[None]:
    """Committing tests are wiped with triggers off, here alone: the product has no such switch."""
    patch = pytest.MonkeyPatch()
    wipe = flush.sql_flush

    def wipe_quietly(*args: Any, **kwargs: Any) -> list[str]:
        statements = wipe(*args, **kwargs)
        off, on = "SET session_replication_role = replica", "SET session_replication_role = origin"
        return [off, *statements, on] if statements else statements

    patch.setattr(flush, "sql_flush", wipe_quietly)
    empty = TransactionTestCase._fixture_teardown

    def empty_and_restore(case: TransactionTestCase) -> None:
        # Django would put back at the next test's start, with triggers on, unseen by other tests.
        case.serialized_rollback = True
        empty(case)
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            connection.creation.deserialize_db_from_string(connection._test_serialized_contents)
            cursor.execute("SET session_replication_role = origin")

    # Rows that migrations made are put back after a flush.
    patch.setattr(TransactionTestCase, "_fixture_teardown", empty_and_restore)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """Nothing that one test cached is seen by the next."""
    cache.clear()
    yield


@pytest.fixture
def client(settings: Any) -> Client:
    """A browser at the one origin; under any other name a page redirects there."""
    return Client(HTTP_HOST=urlsplit(settings.VEEAMSEC_ORIGIN).netloc)


@pytest.fixture
def as_role(db: None, settings: Any) -> Iterator[Callable[[str], psycopg.Connection]]:
    """Connections to the test database in the role `web`, `worker` or `owner`; closed at the end."""
    opened = []
    home = Home(settings.VEEAMSEC_HOME)

    def connect(role: str) -> psycopg.Connection:
        opened.append(
            psycopg.connect(
                host=str(home.sockets),
                dbname=connection.settings_dict["NAME"],
                user=f"veeamsec_{role}",
                passfile=str(home.passfile(role)),
                autocommit=True,
            )
        )
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still at noon; `clock.shift(…)` and `clock.move_to(…)` move it."""
    with time_machine.travel(NOON, tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def vsec_home(tmp_path: Path, settings: Any) -> Home:
    """A home of its own with the worker's keys; the settings point at it."""
    home = Home(tmp_path / "home")
    home.make()
    settings.VEEAMSEC_HOME = home.path
    settings.VEEAMSEC_ROOTS = [home.path / "repositories", home.path / "restores", tmp_path]
    settings.WORKER_KEYS = home.keys / "worker"
    settings.WEB_KEYS = home.keys / "web"
    settings.PUBLIC_KEYS = home.keys / "public"
    make_worker_keys(settings.WORKER_KEYS, settings.PUBLIC_KEYS, fips=settings.VEEAMSEC_FIPS)
    return home
