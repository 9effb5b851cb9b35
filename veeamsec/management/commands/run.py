"""`run`: the whole product as one command."""

import sys
from argparse import ArgumentParser
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand

from veeamsec.environment import DEFAULT_ORIGIN
from veeamsec.home import Home
from veeamsec.supervisor import Supervisor


class Command(BaseCommand):
    help = "Set up what is missing and serve: servers, web, workers and beat. Ctrl-C ends all in order."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=None, help="port on 127.0.0.1 (8000)")

    def handle(self, *args: object, port: int | None, **options: object) -> None:
        origin = settings.VEEAMSEC_ORIGIN
        if port and origin == DEFAULT_ORIGIN:
            origin = f"http://localhost:{port}"
        port = port or (urlsplit(origin).port if origin.startswith("http://localhost") else None) or 8000

        def say(text: str) -> None:
            self.stdout.write(text)
            self.stdout.flush()

        sys.exit(Supervisor(Home(settings.VEEAMSEC_HOME), port, origin, say=say).run())
