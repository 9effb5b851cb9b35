"""This backup server's registration, as text, with the fingerprint that both sides compare."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recovery.documents import forms
from recovery.models import BackupServer
from recovery.services import identity


class Command(BaseCommand):
    help = "Print this backup server's registration, to be registered at an Enterprise Manager."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Nothing is chosen: there is one."""

    def handle(self, *args: Any, **options: Any) -> None:
        own = BackupServer.objects.filter(own=True).first()
        if own is None:
            raise CommandError("This installation has no identity yet: run setup.")
        self.stdout.write(identity.text_of(own))
        self.stdout.write(f"Fingerprint: {forms.in_groups(own.fingerprint)}")
