"""Make a bearer token for an account; it is printed once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.services import users
from audit import services as audit
from audit.errors import Refused


class Command(BaseCommand):
    """Print a new token."""

    help = "Make a bearer token for an account, usually a service account; it is printed once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the account, a name for the token, its life and its scopes."""
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="what the token is for")
        parser.add_argument("--days", type=int, default=90)
        parser.add_argument(
            "--scope", action="append", choices=sorted(users.TOKEN_SCOPES), help="default: api"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make one service call."""
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError("There is no such account.")
        try:
            token = users.create_token(
                user=user,
                name=options["name"],
                days=options["days"],
                scopes=options["scope"] or ["api"],
                by=audit.CONSOLE,
            )
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(token)
