"""The first start of a person: a name and a password of their own."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts

from accounts.services.users import PASSWORD_LIMIT


class StartForm(forms.Form):
    """What nobody else chooses."""

    username = forms.CharField(
        label="Sign-in name", max_length=150, help_text="Keep it, or choose another one."
    )
    password = forms.CharField(
        label="Password",
        max_length=PASSWORD_LIMIT,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="The same again",
        max_length=PASSWORD_LIMIT,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = " ".join(password_validators_help_texts())

    def clean(self) -> dict[str, Any]:
        """Both times the same."""
        data = super().clean() or {}
        if "password" in data and "again" in data and data["password"] != data["again"]:
            self.add_error("again", "This is not the same as above.")
        return data
