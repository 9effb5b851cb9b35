"""An installation's database, from nothing to tables with their refusals: `setup` and `restore_self`."""

import contextlib
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from django.core.management import call_command
from django.db import connection, transaction

from veeamsec import servers
from veeamsec.database import make_database, make_roles
from veeamsec.environment import env, read
from veeamsec.home import Home
from veeamsec.roles import apply_grants, assert_triggers
from veeamsec.supervisor import lock


def servers_of(home: Home) -> contextlib.AbstractContextManager[object]:
    """Return a block in which the private servers run, unless they run already or are not wanted."""
    if env.str("DATABASE_URL", ""):
        return contextlib.nullcontext()
    # A new home got its sockets' folder only now, after the settings were read.
    connection.settings_dict["HOST"] = str(home.sockets)
    if servers.answers(home):
        return contextlib.nullcontext()
    stack = contextlib.ExitStack()
    stack.enter_context(lock(home))
    stack.enter_context(servers.running(home))
    return stack


def make_place(home: Home) -> None:
    """Make the three roles and the empty database, where DATABASE_URL names somebody who may."""
    if admin := _admin(home):
        make_roles(admin, home)
        make_database(admin, connection.settings_dict["NAME"])


def make_tables() -> None:
    """Bring tables, triggers and grants to what this version wants. Raises TriggersDiffer."""
    call_command("migrate", interactive=False, verbosity=0)
    with transaction.atomic(), connection.cursor() as cursor:
        apply_grants(cursor)
    assert_triggers()
    connection.close()


def keys_are_ours(folder: Path) -> bool:
    """Say whether a key folder belongs to this user; one that was given to another process stays as it is."""
    return not folder.exists() or folder.stat().st_uid == os.geteuid()


def _admin(home: Home) -> dict[str, Any] | None:
    """Who makes roles and the database; None where DATABASE_URL names nobody: then they are there."""
    url = read().database_url
    if not url:
        return servers.superuser(home)
    place = env.db_url_config(url)
    if not place.get("USER"):
        return None
    admin = {
        "host": unquote(place["HOST"]),
        "port": place["PORT"],
        "user": place["USER"],
        "dbname": "postgres",
    }
    if place.get("PASSWORD"):
        admin["password"] = place["PASSWORD"]
    return {name: value for name, value in admin.items() if value}
