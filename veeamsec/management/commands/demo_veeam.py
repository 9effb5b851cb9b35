"""`demo_veeam`: a Veeam server governed, as a worked example, on a home of its own."""

import sys
from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from veeamsec.demo.client import DemoFailed
from veeamsec.demo_veeam.theatre import perform
from veeamsec.supervisor import CannotStart


class Command(BaseCommand):
    help = "Play the story of a Veeam server on a fresh home, with a veeam-peer; ends by itself."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (any free one)")

    def handle(self, *args: object, port: int, **options: object) -> None:
        if settings.VEEAMSEC_PRODUCTION:
            raise CommandError("A demo uses made-up people; it never runs in production.")
        try:
            perform(settings.VEEAMSEC_HOME, port)
        except (DemoFailed, CannotStart) as error:
            sys.stdout.write(f"\nThe demo failed: {error}\n")
            sys.exit(1)
