"""`setup`: everything that must be there before the first start, and again after an update."""

import socket

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from encryption.crypto.providers import make_enterprise_keys, make_worker_keys
from encryption.errors import KeysAway
from recovery.services import identity
from veeamsec import preparing, servers
from veeamsec.home import Home, HomeError
from veeamsec.supervisor import CannotStart


class Command(BaseCommand):
    help = "Make the home, its keys, the database with its three roles, tables, triggers and grants."
    requires_system_checks: list[str] = []

    def handle(self, *args: object, **options: object) -> None:
        if settings.VEEAMSEC_PROCESS != "owner":
            raise CommandError("setup runs as the owner: leave VEEAMSEC_PROCESS unset.")
        home = Home(settings.VEEAMSEC_HOME)
        try:
            home.make()
            with preparing.servers_of(home):
                preparing.make_place(home)
                preparing.make_tables()
                self._make_keys()
            call_command("collectstatic", interactive=False, verbosity=0)
        except (HomeError, CannotStart, KeysAway, servers.ServerFailed) as error:
            raise CommandError(str(error)) from error

    def _make_keys(self) -> None:
        public, fips = settings.PUBLIC_KEYS, settings.VEEAMSEC_FIPS
        if preparing.keys_are_ours(settings.ENTERPRISE_KEYS):
            make_enterprise_keys(settings.ENTERPRISE_KEYS, public, fips=fips)
        if preparing.keys_are_ours(settings.WORKER_KEYS):
            make_worker_keys(settings.WORKER_KEYS, public, fips=fips)
            identity.publish_own(socket.gethostname())
