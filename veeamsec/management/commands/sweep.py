"""`sweep`: ring now for work whose bell was lost; beat does it every few seconds."""

from django.core.management.base import BaseCommand

from audit.services import outbox


class Command(BaseCommand):
    help = "Ring for every task that waits in the outbox."

    def handle(self, *args: object, **options: object) -> None:
        self.stdout.write(f"{outbox.sweep()} rung")
