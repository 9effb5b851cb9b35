"""Restore: queued and watched, or, on a new server, from the job's folder with nothing but its password."""

import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.errors import Refused
from encryption.crypto import secret
from encryption.engines.native import restore as native
from encryption.engines.native.keyring import roots_of
from encryption.engines.native.opening import Opens
from encryption.errors import EngineError
from recovery import offline

# A password has at most 1024 characters of at most 4 bytes.
_LONGEST_FILE = 8 * 1024


class Command(BaseCommand):
    help = "Restore a restore point; with --from JOBDIR without any database."
    # On a new server there is none to check.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("point", nargs="?", type=UUID, help="the restore point's id")
        parser.add_argument("--to", required=True, type=Path, help="an empty folder, made if missing")
        parser.add_argument("--path", action="append", dest="paths", help="only this path; may be repeated")
        parser.add_argument("--from", type=Path, dest="folder", help="a job's folder in a repository")
        parser.add_argument("--restore-point", type=UUID, help="which one of that folder")
        parser.add_argument("--password-file", type=Path, help="its password; asked for if missing")
        parser.add_argument("--plain", action="store_true", help="the restore point is not encrypted")
        parser.add_argument("--response", type=Path, help="a recovery response, in place of the password")
        parser.add_argument("--request", type=Path, help="the request that it answers")
        parser.add_argument("--keyset", type=Path, help="the keyset's announcement, its fingerprint compared")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["folder"] is None:
            self._queue(options)
        else:
            self._without_database(options)

    def _queue(self, options: dict[str, Any]) -> None:
        # Only here: the other way works where no database is.
        from audit import services as audit
        from encryption.management.watch import watch
        from encryption.services import backups

        if options["point"] is None:
            raise CommandError("Name a restore point, or a folder with --from and --restore-point.")
        try:
            to = str(_straight(options["to"]))
            session = backups.start_restore(options["point"], to=to, paths=options["paths"], by=audit.CONSOLE)
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        watch(session.pk, self.stdout.write)
        self.stdout.write(f"Restored to {to}")

    def _without_database(self, options: dict[str, Any]) -> None:
        point = options["restore_point"] or options["point"]
        if point is None:
            raise CommandError("Name the restore point with --restore-point.")
        try:
            roots = _opens(options)
            result = native.restore(
                options["folder"].resolve(),
                point,
                _straight(options["to"]),
                roots=roots,
                paths=options["paths"],
            )
        except (EngineError, Refused) as error:
            raise CommandError(getattr(error, "message", "") or str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename or options['folder']}: {error.strerror}") from error
        for warning in result.warnings:
            self.stderr.write(f"Warning: {warning}")
        self.stdout.write(
            f"Restored {result.done_files:,} files, {result.done_bytes:,} bytes to {options['to']}"
        )


def _opens(options: dict[str, Any]) -> Opens | None:
    """Return what opens the restore point: nothing, a response, or its password."""
    if options["plain"]:
        return None
    if options["response"] is None:
        return roots_of(_password(options["password_file"]))
    if options["request"] is None or options["keyset"] is None:
        raise CommandError("With --response, name the --request that it answers and the --keyset.")
    texts = {name: options[name].read_text() for name in ("request", "keyset")}
    return offline.open_response(options["response"].read_text(), keys=settings.WORKER_KEYS, **texts)


def _straight(to: Path) -> Path:
    # Links above it are the console's own business; the folder itself is never one.
    to = to.absolute()
    return to.parent.resolve() / to.name


def _password(file: Path | None) -> secret.Secret:
    if file is None:
        return secret.read_password(getpass.getpass("Encryption password: "))
    with file.open("rb") as opened:
        content = opened.read(_LONGEST_FILE + 1)
    if len(content) > _LONGEST_FILE:
        raise CommandError(f"{file} is too long for a password.")
    return secret.read_password_file(content)
