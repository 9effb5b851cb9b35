"""A recovery request for a job's folder, on a server that has no database of it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.errors import Refused
from encryption.errors import EngineError
from recovery import offline


class Command(BaseCommand):
    help = "Write the request text that an Enterprise Manager answers, from a job's folder alone."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", required=True, type=Path, dest="folder", help="a job's folder")
        parser.add_argument("--restore-point", action="append", type=UUID, dest="points", default=[])
        parser.add_argument("--reason", required=True)
        parser.add_argument("--to", type=Path, help="a new file for the text; else it is printed")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = offline.make_request(
                options["folder"].resolve(),
                settings.WORKER_KEYS,
                reason=options["reason"],
                points=options["points"],
            )
        except (EngineError, Refused) as error:
            raise CommandError(getattr(error, "message", "") or str(error)) from error
        if options["to"] is None:
            self.stdout.write(text)
            return
        with options["to"].open("x") as file:
            file.write(text)
        self.stdout.write(f"Carry {options['to']} to the Enterprise Manager; keep it here too.")
