"""`setup`: everything that must be there before the first start, and again after an update."""

import contextlib
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from encryption.crypto.providers import make_worker_keys
from veeamsec import servers
from veeamsec.database import make_database, make_roles
from veeamsec.environment import env, read
from veeamsec.home import Home, HomeError
from veeamsec.roles import apply_grants, assert_triggers
from veeamsec.supervisor import CannotStart, lock


class Command(BaseCommand):
    help = "Make the home, its keys, the database with its three roles, tables, triggers and grants."
    requires_system_checks: list[str] = []

    def handle(self, *args: object, **options: object) -> None:
        if settings.VEEAMSEC_PROCESS != "owner":
            raise CommandError("setup runs as the owner: leave VEEAMSEC_PROCESS unset.")
        home = Home(settings.VEEAMSEC_HOME)
        try:
            home.make()
            if not env.str("DATABASE_URL", ""):
                # A new home got its sockets' folder only now, after the settings were read.
                connection.settings_dict["HOST"] = str(home.sockets)
            with self._servers(home):
                self._prepare(home)
        except (HomeError, CannotStart, servers.ServerFailed) as error:
            raise CommandError(str(error)) from error

    def _prepare(self, home: Home) -> None:
        if admin := self._admin(home):
            make_roles(admin, home)
            make_database(admin, connection.settings_dict["NAME"])
        call_command("migrate", interactive=False, verbosity=0)
        with transaction.atomic(), connection.cursor() as cursor:
            apply_grants(cursor)
        assert_triggers()
        connection.close()
        make_worker_keys(settings.WORKER_KEYS, settings.PUBLIC_KEYS)
        call_command("collectstatic", interactive=False, verbosity=0)

    def _servers(self, home: Home) -> contextlib.AbstractContextManager[None]:
        """The private servers for the time of setting up, unless they run or are not wanted."""
        if env.str("DATABASE_URL", "") or servers.answers(home):
            return contextlib.nullcontext()
        stack = contextlib.ExitStack()
        stack.enter_context(lock(home))
        stack.enter_context(servers.running(home))
        return stack  # type: ignore[return-value]

    def _admin(self, home: Home) -> dict[str, Any] | None:
        """Who makes roles and the database; None where DATABASE_URL names nobody: then they are there."""
        url = read().database_url
        if not url:
            return servers.superuser(home)
        place = env.db_url_config(url)
        if not place.get("USER"):
            return None
        admin = {"host": place["HOST"], "port": place["PORT"], "user": place["USER"], "dbname": "postgres"}
        if place.get("PASSWORD"):
            admin["password"] = place["PASSWORD"]
        return {name: value for name, value in admin.items() if value}
