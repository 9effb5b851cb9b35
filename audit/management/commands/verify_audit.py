"""`manage.py verify_audit`: is the log what was written?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import services
from audit.errors import KeyUnavailable


class Command(BaseCommand):
    help = "Recompute the whole log and compare it with every signed checkpoint in and outside the database."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = services.verify()
        except KeyUnavailable as error:
            raise CommandError(str(error)) from error
        for finding in result.findings:
            self.stderr.write(f"{finding.where}: {finding.what}")
        seen = f"{result.size} entries, {result.checkpoints} checkpoints, root {result.root}"
        if result.findings:
            raise CommandError(f"The log is NOT what was written ({seen}).")
        self.stdout.write(f"The log is what was written ({seen}).")
        if not result.checkpoints:
            self.stdout.write("No checkpoint has been signed yet, so nothing proves it from outside.")
