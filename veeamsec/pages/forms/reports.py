"""What a report is asked for, and who is told of it how often."""

from collections.abc import Mapping
from typing import Any

from django import forms

from accounts.models import User
from compliance.models import ReportSchedule
from compliance.reports.catalogue import KINDS, PERMISSION, Kind


class _Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


FIELDS: dict[str, forms.Field] = {
    "since": forms.DateField(label="From", widget=_Day(), help_text="The first day, in UTC."),
    "until": forms.DateField(label="To", widget=_Day(), help_text="The last day, in UTC."),
}


class ReportForm(forms.Form):
    """The fields that one report wants."""

    def __init__(self, kind: Kind, given: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(given, **options)
        self.fields.update({name: FIELDS[name] for name in kind.wants})

    @property
    def wanted(self) -> dict[str, str]:
        """What was filled in, as texts."""
        return {name: str(value) for name, value in self.cleaned_data.items() if value}


class ScheduleForm(forms.Form):
    """Which report, how often, to whom."""

    report = forms.ChoiceField(label="Report")
    every = forms.ChoiceField(label="How often", choices=ReportSchedule.Every.choices)
    recipients = forms.MultipleChoiceField(
        label="Who is told",
        widget=forms.CheckboxSelectMultiple,
        help_text="By mail, with a link: they sign in to read it. Accounts that may read reports.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["report"].choices = [(one.name, one.title) for one in KINDS.values() if one.told]  # type: ignore[attr-defined]
        users = (
            User.objects.filter(is_active=True, is_human=True).select_related("person").order_by("username")
        )
        readers = [
            (user.pk, f"{user.person.name} ({user.username})") for user in users if user.has_perm(PERMISSION)
        ]
        self.fields["recipients"].choices = readers  # type: ignore[attr-defined]
