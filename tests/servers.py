"""A pytest plugin: private PostgreSQL and Valkey for the session, up before Django's settings are read.

With pytest-xdist the controller starts them and its workers find them through the environment.
"""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest

from veeamsec import servers
from veeamsec.database import make_database, make_roles
from veeamsec.environment import DATABASE
from veeamsec.home import Home


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Start the servers and point the environment at them."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    for name in [name for name in os.environ if name.startswith("VEEAMSEC_")]:
        del os.environ[name]
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("CELERY_BROKER_URL", None)
    stack = contextlib.ExitStack()
    early_config.add_cleanup(stack.close)
    # Not pytest's own folder: a socket's path must stay short.
    home = Home(Path(tempfile.mkdtemp(prefix="vs-")).resolve())
    stack.callback(shutil.rmtree, home.path, ignore_errors=True)
    home.make()
    (home.path / "static").mkdir()
    stack.callback(servers.forget, home)
    stack.enter_context(servers.running(home, durable=False))
    admin = servers.superuser(home)
    make_roles(admin, home)
    make_database(admin, DATABASE)
    with psycopg.connect(**admin, autocommit=True) as connection:
        # What the product never grants: making test databases, and switching triggers off between tests.
        connection.execute("ALTER ROLE veeamsec_owner CREATEDB")
        connection.execute("GRANT SET ON PARAMETER session_replication_role TO veeamsec_owner")
        # Requests of tests run as the web process does, and some work as the worker does.
        connection.execute("GRANT veeamsec_web, veeamsec_worker TO veeamsec_owner")
    os.environ |= {"VEEAMSEC_HOME": str(home.path), "VEEAMSEC_PROCESS": "owner"}
