"""What a report is asked for, and who is told of it how often."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms

from accounts.models import User
from compliance.models import ReportSchedule
from compliance.reports.catalogue import KINDS, PERMISSION, Kind
from encryption import selectors as encryption

# So many can be chosen from; the job's own page leads here with it filled in.
_LISTED = 2_000


class _Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def _first(viewer: User) -> forms.Field:
    return forms.DateField(label="From", widget=_Day(), help_text="The first day, in UTC.")


def _last(viewer: User) -> forms.Field:
    return forms.DateField(label="To", widget=_Day(), help_text="The last day, in UTC.")


def _day(viewer: User) -> forms.Field:
    return forms.DateField(label="Day", widget=_Day(), help_text="Of which the copy is, in UTC.")


def _repository(viewer: User) -> forms.Field:
    names = [
        (str(one.pk), one.name) for one in encryption.repositories_for(viewer).order_by("name")[:_LISTED]
    ]
    return forms.ChoiceField(label="A whole repository", required=False, choices=[("", "none"), *names])


def _job(viewer: User) -> forms.Field:
    names = [(str(one.pk), one.name) for one in encryption.jobs_for(viewer).order_by("name")[:_LISTED]]
    return forms.ChoiceField(label="Or one job", required=False, choices=[("", "none"), *names])


def _point(viewer: User) -> forms.Field:
    return forms.UUIDField(label="Or one restore point", required=False, help_text="Its id.")


def _request(viewer: User) -> forms.Field:
    return forms.CharField(label="Request", max_length=40, help_text="Its number, such as R-1042.")


FIELDS: dict[str, Callable[[User], forms.Field]] = {
    "since": _first,
    "until": _last,
    "repository": _repository,
    "job": _job,
    "restore_point": _point,
    "day": _day,
    "request": _request,
}


class ReportForm(forms.Form):
    """The fields that one report wants."""

    def __init__(
        self, kind: Kind, viewer: User, given: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        super().__init__(given, **options)
        self.fields.update({name: FIELDS[name](viewer) for name in kind.wants})

    @property
    def needed(self) -> list[str]:
        """The fields without which there is no report."""
        return [name for name, field in self.fields.items() if field.required]

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
