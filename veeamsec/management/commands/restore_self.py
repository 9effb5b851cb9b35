"""`restore_self`: VeeamSec again, from its own backup."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from encryption.errors import PasswordRefused, SealBroken
from veeamsec import servers
from veeamsec.home import Home, HomeError
from veeamsec.management import typed
from veeamsec.programs import ProgramMissing
from veeamsec.selfbackup import reading
from veeamsec.selfbackup.database import DatabaseFailed
from veeamsec.supervisor import CannotStart

FAILURES = (
    CannotStart,
    DatabaseFailed,
    HomeError,
    PasswordRefused,
    ProgramMissing,
    SealBroken,
    reading.RestoreFailed,
    servers.ServerFailed,
)


class Command(BaseCommand):
    help = "Bring VeeamSec's database, keys and checkpoints back into an empty installation."
    # There is no database to check yet.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", type=Path, required=True, dest="source", help="the file of backup_self")
        parser.add_argument("--keys-from", type=Path, help="the file of its keys, where they were put apart")
        parser.add_argument("--passphrase-fd", type=int, help="read the pass phrase from this descriptor")

    def handle(self, *args: Any, source: Path, **options: Any) -> None:
        if settings.VEEAMSEC_PROCESS != "owner":
            raise CommandError("restore_self runs as the owner: leave VEEAMSEC_PROCESS unset.")
        home = Home(settings.VEEAMSEC_HOME)
        try:
            with typed.known_passphrase(options["passphrase_fd"]) as passphrase:
                beyond = reading.restore(home, source, passphrase, keys_from=options["keys_from"])
        except FAILURES as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        self.stdout.write(f"Restored into {home.path}.")
        if beyond is not None:
            self.stdout.write(
                f"The log was signed up to {beyond.signed} entries; this database goes with it up to"
                f" {beyond.kept}. No re-key and no deletion is done until two persons have run"
                " `manage.py acknowledge --user NAME`."
            )
