"""A new password as it is asked for."""

from typing import Any
from uuid import UUID

from django import forms

from accounts.models import User
from approvals.services.wishes import MAX_HINT

# Long enough for any password manager; the service judges its strength.
LONGEST = 1024
MADE = ("Or made by the worker", "", ("generate", "custodian"))


class SecretField(forms.CharField):
    """A password as it is typed: nothing is stripped, nothing is shown again."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
        super().__init__(
            label=label, max_length=LONGEST, strip=False, required=False, widget=widget, **kwargs
        )


class NewValue(forms.Form):
    """A new password: typed twice, or made by the worker."""

    hint = forms.CharField(
        label="Hint",
        max_length=MAX_HINT,
        required=False,
        help_text="How people tell this password from others. It is shown to all who see the job.",
    )
    new_password = SecretField(
        "New password",
        help_text="12 signs or more. It is sealed as it arrives; no page shows it again.",
    )
    again = SecretField("The same again")
    generate = forms.BooleanField(
        label="Have it generated: nobody types it, and you never see it",
        required=False,
    )
    custodian = forms.TypedChoiceField(
        label="Hand it to",
        coerce=UUID,
        empty_value=None,
        required=False,
        help_text="They alone are shown a generated password, once, within a week. State their copy below.",
    )

    def choose_custodian(self, viewer: User) -> None:
        """Offer the other people with an account."""
        others = User.objects.filter(is_active=True, is_human=True).exclude(person=viewer.person_id)
        people = [
            (one.pk, one.person.name) for one in others.select_related("person").order_by("person__name")
        ]
        nobody = ("", "nobody: an exported keyset opens what it protects")
        self.fields["custodian"].choices = [nobody, *people]  # type: ignore[attr-defined]

    def check_value(self, data: dict[str, Any]) -> None:
        """Refuse two different passwords, and one that is typed and generated."""
        if data.get("new_password") != data.get("again"):
            self.add_error("again", "This is not the same as above.")
        if data.get("new_password") and data.get("generate"):
            self.add_error("generate", "Leave the password empty, or do not have it generated.")
        if data.get("custodian") and not data.get("generate"):
            self.add_error("custodian", "Only a generated password is handed to somebody.")

    def value(self) -> dict[str, Any]:
        """What the service is asked about the new password."""
        names = ("generate", "custodian")
        return {name: self.cleaned_data[name] for name in names} | {
            "new_password": self.cleaned_data["new_password"] or None
        }
