"""`keys`: who keeps the master keys, their move from one provider to another, and their rotation."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from encryption.crypto import providers
from encryption.crypto.providers import rotating
from encryption.errors import KeyMaterialError, KeysAway
from encryption.services import keyring
from encryption.services.rotating import rotate
from recovery.services import private
from veeamsec import preparing

PROCESSES = ("worker", "enterprise")


class Command(BaseCommand):
    help = (
        "Say who keeps the master keys, move them to the provider that VEEAMSEC_KEYS names, or rotate them."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("status", help="ask the provider for each key, and say what it answers")
        move = verbs.add_parser("move", help="bring each key to the provider that VEEAMSEC_KEYS names")
        move.add_argument("--from", dest="before", required=True, help="the former value of VEEAMSEC_KEYS")
        turn = verbs.add_parser("rotate", help="make a new key, seal everything anew, destroy the former key")
        turn.add_argument(
            "process", nargs="?", choices=PROCESSES, help="one key alone; else each of this user"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folders = _folders(options.get("process"))
        if not folders:
            raise CommandError("No key folder belongs to this user: run it as the process whose key it is.")
        for process, folder in folders.items():
            try:
                told = self._do(process, folder, options)
            except (KeysAway, KeyMaterialError, OSError) as error:
                raise CommandError(f"{process}: {error}") from error
            except OperationalError as error:
                raise CommandError(f"{process}: the database does not answer: {error}") from error
            self.stdout.write(f"{process}: {told}")

    def _do(self, process: str, folder: Path, options: dict[str, Any]) -> str:
        if options["verb"] == "move":
            return self._move(folder, options["before"])
        return self._rotate(process) if options["verb"] == "rotate" else _status(folder)

    def _move(self, folder: Path, before: str) -> str:
        after = providers.address()
        if before == after:
            raise CommandError("VEEAMSEC_KEYS names the provider that the keys should leave.")
        moved = providers.move(folder, before, after)
        return f"kept by {providers.keeper()} {'now' if moved else 'already'}"

    def _rotate(self, process: str) -> str:
        rest = keyring.rest() if process == "worker" else private.rest()
        row = rotate(rest, told=lambda text: self.stdout.write(f"{process}: {text}"))
        return f"the key {row.key} is in force, the former {row.former} is destroyed"


def _status(folder: Path) -> str:
    providers.load_master(folder)
    given = f"kept by {providers.keeper()}, and given"
    return f"{given}; a rotation is unfinished" if rotating.is_unfinished(folder) else given


def _folders(named: str | None) -> dict[str, Path]:
    by_process = {"worker": settings.WORKER_KEYS, "enterprise": settings.ENTERPRISE_KEYS}
    own = by_process.get(settings.VEEAMSEC_PROCESS)
    found = {process: Path(folder) for process, folder in by_process.items() if own is None or folder == own}
    return {
        process: folder
        for process, folder in found.items()
        if named in (None, process) and folder.exists() and preparing.keys_are_ours(folder)
    }
