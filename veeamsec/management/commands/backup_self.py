"""`backup_self`: the product's own database, keys and checkpoints in a sealed file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.errors import Refused
from encryption.errors import PasswordRefused
from veeamsec.management import typed
from veeamsec.programs import ProgramMissing
from veeamsec.selfbackup import writing
from veeamsec.selfbackup.database import DatabaseFailed


class Command(BaseCommand):
    help = "Write VeeamSec's own database, keys and checkpoints to a new file, sealed under a pass phrase."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", type=Path, required=True, help="a new file")
        parser.add_argument("--keys-to", type=Path, help="another new file for the keys, on another medium")
        parser.add_argument("--passphrase-fd", type=int, help="read the pass phrase from this descriptor")

    def handle(self, *args: Any, to: Path, **options: Any) -> None:
        keys_to = options["keys_to"]
        try:
            with typed.new_passphrase(options["passphrase_fd"]) as passphrase:
                written = writing.back_up(to, passphrase, keys_to=keys_to)
        except (Refused, PasswordRefused, ProgramMissing, writing.BackupFailed, DatabaseFailed) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        told = ", ".join(f"{name} {size:,} bytes" for name, size in written.items())
        self.stdout.write(f"Written to {to}{f' and {keys_to}' if keys_to else ''}: {told}")
