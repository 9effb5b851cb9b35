"""The announcement of the keyset in force, as text, with the fingerprint that both sides compare."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recovery.documents import forms
from recovery.models import Keyset
from recovery.services import keysets


class Command(BaseCommand):
    help = "Print the announcement of the keyset in force, to be taken by another installation."

    def handle(self, *args: Any, **options: Any) -> None:
        active = Keyset.objects.filter(state=Keyset.State.ACTIVE).first()
        if active is None:
            raise CommandError("No keyset is in force.")
        self.stdout.write(keysets.announcement_text(active))
        self.stdout.write(f"Fingerprint: {forms.in_groups(keysets.fingerprint_of(active))}")
