"""`acknowledge`: a person takes note, on record, that the database is older than what was signed of it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from audit.errors import KeyUnavailable, Refused
from audit.services.rollbacks import PERSONS
from veeamsec.management import typed
from veeamsec.selfbackup import acknowledging


class Command(BaseCommand):
    help = "Acknowledge that the database is older than its checkpoints, by one person's password and code."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--user", required=True, help="sign-in name of a Security member or administrator"
        )

    def handle(self, *args: Any, user: str, **options: Any) -> None:
        person = User.objects.filter(username=user, is_active=True).first()
        password, code = typed.ask(f"Password of {user}: "), typed.ask("Code of the authenticator app: ")
        if person is None:
            raise CommandError("This is not right.")
        try:
            found, persons = acknowledging.acknowledge(person, password=password, code=code)
        except (Refused, KeyUnavailable) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{persons} of {PERSONS} persons acknowledge: {found.signed} entries were signed, of which this"
            f" database has {found.kept}."
        )
        if persons >= PERSONS:
            self.stdout.write("Re-keys and deletions go on. Find out which changes are missing.")
