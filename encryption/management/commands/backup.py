"""Queue a run of a job and watch it."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from audit import services as audit
from audit.errors import Refused
from encryption.management.watch import watch
from encryption.models import Job
from encryption.services import backups


class Command(BaseCommand):
    help = "Run a job: queue it, watch it, and say what it wrote."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", help="the job's id or name")
        parser.add_argument("--full", action="store_true", help="write a full even if an increment would do")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            session = backups.start_backup(_job_id(options["job"]), by=audit.CONSOLE, full=options["full"])
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        ended = watch(session.pk, self.stdout.write)
        self.stdout.write(f"Restore point {ended.restore_point}")


def _job_id(named: str) -> UUID:
    try:
        return UUID(named)
    except ValueError:
        found = Job.objects.filter(name=named).values_list("pk", flat=True).first()
    if found is None:
        raise CommandError(f"There is no job called {named}.")
    return found
