"""What is asked about a finding of the analyzer."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone

from accounts.models import User
from approvals.services.wishes import MAX_TEXT
from compliance import selectors
from compliance.checks import Status
from veeamsec.pages.forms.ask import AskForm

_USUAL = timedelta(days=90)


def _usual() -> str:
    return f"{timezone.now() + _USUAL:%Y-%m-%d}"


class SuppressForm(AskForm):
    """A finding that may stand until a day, and why."""

    sections = (
        ("Which finding", "", ("finding", "until")),
        ("Why", "", ("note", "reason")),
    )
    finding = forms.TypedChoiceField(label="What was found", coerce=UUID)
    until = forms.DateField(
        label="Until",
        initial=_usual,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="On this day it shows again by itself; within a year.",
    )
    note = forms.CharField(
        label="Note",
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Stands beside the finding while it is suppressed.",
    )

    def choose(self, viewer: User) -> None:
        """Offer what the last run found amiss."""
        newest = selectors.newest()
        rows = [] if newest is None else selectors.findings_of(newest).exclude(found=Status.PASSED)
        field = self.fields["finding"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101 - declared above
        field.choices = [(str(row.pk), f"{row.title}: {row.summary}") for row in rows]

    def wish(self) -> dict[str, Any]:
        """What the service is asked."""
        return super().wish() | {name: self.cleaned_data[name] for name in ("finding", "until", "note")}
