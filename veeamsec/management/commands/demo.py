"""`demo`: the main job as a worked example, on a home of its own."""

import sys
from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from veeamsec.demo.client import DemoFailed
from veeamsec.demo.theatre import perform
from veeamsec.supervisor import CannotStart, free_port


class Command(BaseCommand):
    help = "Play the whole chain on a fresh home with real servers, workers and HTTP; ends by itself."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=None, help="port on 127.0.0.1 (8000, or any free one)"
        )

    def handle(self, *args: object, port: int | None, **options: object) -> None:
        if settings.VEEAMSEC_PRODUCTION:
            raise CommandError("A demo writes passwords to a file; it never runs in production.")
        try:
            perform(settings.VEEAMSEC_HOME, port if port is not None else usual_port())
        except (DemoFailed, CannotStart) as error:
            sys.stdout.write(f"\nThe demo failed: {error}\n")
            sys.exit(1)


def usual_port() -> int:
    """The port that `make run` will serve the same home on, when nobody has it now; else any."""
    try:
        return free_port(8000)
    except CannotStart:
        return 0
