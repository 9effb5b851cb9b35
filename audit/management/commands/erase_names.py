"""`manage.py erase_names PERSON`: forget a person's names in the log; the log stays whole."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError

from audit import services
from audit.errors import AuditUnavailable


class Command(BaseCommand):
    help = "Erase a person's names from the log for ever, as the database's owner (VEEAMSEC_PROCESS=owner)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", type=UUID, help="the person's id")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = services.erase_names(options["person"], by=services.CONSOLE)
        except AuditUnavailable as error:
            raise CommandError(str(error)) from error
        except ProgrammingError as error:
            raise CommandError("Only the database's owner may: set VEEAMSEC_PROCESS=owner.") from error
        self.stdout.write(f"{count} names erased; every entry and its proof stay.")
