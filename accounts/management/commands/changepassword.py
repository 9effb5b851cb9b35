"""Django's command of this name sets anyone's password; here nobody does (P14)."""

from argparse import ArgumentParser
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Refuse, and say what helps."""

    help = "Refused: nobody sets another's password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what Django's command takes, so that the refusal is what is read."""
        parser.add_argument("username", nargs="?")

    def handle(self, *args: Any, **options: Any) -> NoReturn:
        """Refuse."""
        raise CommandError(
            "Nobody sets another's password. People change their own in the account pages; lost credentials"
            " are reset by a request that Security decides."
        )
