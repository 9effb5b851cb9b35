"""Name the two founders of the Security Role and the first Backup administrator, once."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.services import bootstrap_file, security_role
from accounts.services.security_role import Link, Named
from audit.errors import Refused

OFFICES = ("dpo", "ciso", "administrator")
# People and accounts for a demo, not a directory.
FILE_LIMIT = 1_000_000


class Command(BaseCommand):
    """Print three one-time links, good for 24 hours."""

    help = "Name the DPO, the CISO and the first Backup administrator; print their one-time links."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the names as options; what is missing is asked."""
        for office in OFFICES:
            parser.add_argument(f"--{office}", nargs=2, metavar=("NAME", "EMAIL"))
        parser.add_argument(
            "--renew", action="store_true", help="new links for those who have not used theirs"
        )
        parser.add_argument(
            "--file", type=Path, help="people and accounts with passwords: demo and tests only"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make one service call."""
        try:
            if options["file"]:
                self._from_file(options["file"])
            elif options["renew"]:
                self._show(security_role.renew_links())
            else:
                self._show(
                    security_role.bootstrap(**{office: self._named(office, options) for office in OFFICES})
                )
        except Refused as refused:
            raise CommandError(str(refused)) from refused

    def _from_file(self, path: Path) -> None:
        if settings.VEEAMSEC_PRODUCTION:
            raise CommandError(
                "--file is for demo and tests; in production each person sets their own password."
            )
        if path.stat().st_size > FILE_LIMIT:
            raise CommandError(f"{path} is too long.")
        count = bootstrap_file.load(json.loads(path.read_text()))
        self.stdout.write(f"{count} accounts made; the worker signs the roster and seals the Security Role.")

    def _named(self, office: str, options: dict[str, Any]) -> Named:
        if options[office]:
            return Named(*options[office])
        label = {"dpo": "DPO", "ciso": "CISO", "administrator": "Backup administrator"}[office]
        return Named(input(f"Name of the {label}: "), input(f"E-mail of the {label}: "))

    def _show(self, links: list[Link]) -> None:
        for link in links:
            self.stdout.write(f"{link.office}: {link.name}\n    {link.url}")
        self.stdout.write("Each link works once, for 24 hours, and is not shown again.")
