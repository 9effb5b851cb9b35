"""`keys`: who keeps the master keys, and their move from one provider to another."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from encryption.crypto import providers
from encryption.errors import KeyMaterialError, KeysAway
from veeamsec import preparing


class Command(BaseCommand):
    help = "Say who keeps this process's master key, or move it to the provider that VEEAMSEC_KEYS names."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("status", help="ask the provider for each key, and say what it answers")
        move = verbs.add_parser("move", help="bring each key to the provider that VEEAMSEC_KEYS names")
        move.add_argument("--from", dest="before", required=True, help="the former value of VEEAMSEC_KEYS")

    def handle(self, *args: Any, **options: Any) -> None:
        folders = _folders()
        if not folders:
            raise CommandError("No key folder belongs to this user: run it as the process whose key it is.")
        for folder in folders:
            try:
                told = self._move(folder, options["before"]) if options["verb"] == "move" else _status(folder)
            except (KeysAway, KeyMaterialError, OSError) as error:
                raise CommandError(f"{folder.name}: {error}") from error
            self.stdout.write(f"{folder.name}: {told}")

    def _move(self, folder: Path, before: str) -> str:
        after = providers.address()
        if before == after:
            raise CommandError("VEEAMSEC_KEYS names the provider that the keys should leave.")
        moved = providers.move(folder, before, after)
        return f"kept by {providers.keeper()} {'now' if moved else 'already'}"


def _status(folder: Path) -> str:
    providers.load_master(folder)
    return f"kept by {providers.keeper()}, and given"


def _folders() -> list[Path]:
    by_process = {"worker": settings.WORKER_KEYS, "enterprise": settings.ENTERPRISE_KEYS}
    own = by_process.get(settings.VEEAMSEC_PROCESS)
    wanted = [Path(own)] if own else [Path(one) for one in by_process.values()]
    return [folder for folder in wanted if folder.exists() and preparing.keys_are_ours(folder)]
