"""`manage.py analyze`: run the checks now."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import services as audit
from compliance import selectors
from compliance.services import analyzing

_SECONDS, _PATIENCE = 0.5, 600


class Command(BaseCommand):
    help = "Run the Security & Compliance Analyzer: queue a run, wait for it, and say what it found."

    def handle(self, *args: Any, **options: Any) -> None:
        assessment = analyzing.ask(by=audit.CONSOLE)
        for _ in range(int(_PATIENCE / _SECONDS)):
            assessment.refresh_from_db()
            if assessment.done_at is not None:
                break
            time.sleep(_SECONDS)
        else:
            raise CommandError("No worker has run it within ten minutes: is one running?")
        for finding in selectors.findings_of(assessment):
            self.stdout.write(f"{finding.status():<18} {finding.code:<28} {finding.summary}")
