"""allauth's forms with one rule more: a code of an authenticator app is good once, wherever it is typed."""

import time
from typing import Any

from allauth.mfa.base import forms as base
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm as AllauthActivateTOTPForm
from django import forms

from accounts.errors import StepUpRequired
from accounts.models import Role, User
from accounts.rules import CONSOLE_ROLES
from accounts.services import factors, sessions, users
from accounts.totp import matching_step


class _SpendsCode:
    """Uses up the step of a TOTP code, so that no decision takes the same code again."""

    user: User
    authenticator: Authenticator

    def clean_code(self) -> str:
        """Refuse a code whose step was used."""
        code: str = super().clean_code()  # type: ignore[misc]
        if self.authenticator.type == Authenticator.Type.TOTP:
            secret = factors.decrypt(self.authenticator.data["secret"])
            _spend(self.user, secret, code)
        return code

    def _emit_authentication_failed(self, authenticator: Authenticator) -> None:
        # allauth's signal would only be sent: here the entry is written.
        sessions.code_failed(self.user)


class AuthenticateForm(_SpendsCode, base.AuthenticateForm):  # type: ignore[misc]
    """The second step of a sign-in."""


class ReauthenticateForm(_SpendsCode, base.ReauthenticateForm):  # type: ignore[misc]
    """The factor again, before factors change."""


class ActivateTOTPForm(AllauthActivateTOTPForm):  # type: ignore[misc]
    """The first code of a new app."""

    def clean_code(self) -> str:
        """Check the code and use up its step."""
        code: str = super().clean_code()
        _spend(self.user, self.secret, code)
        return code


def _spend(user: User, secret: str, code: str) -> None:
    step = matching_step(secret, code, time.time())
    try:
        if step is None:
            raise StepUpRequired("That code is not right. Type the one your app shows now.")
        factors.spend_step(user, step)
    except StepUpRequired as refused:
        raise forms.ValidationError(str(refused)) from refused


class OwnPasswordForm(forms.Form):
    """A person changes their own password."""

    current = forms.CharField(
        label="Password now", max_length=users.PASSWORD_LIMIT, widget=forms.PasswordInput
    )
    new = forms.CharField(label="New password", max_length=users.PASSWORD_LIMIT, widget=forms.PasswordInput)
    again = forms.CharField(
        label="New password again", max_length=users.PASSWORD_LIMIT, widget=forms.PasswordInput
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean(self) -> dict[str, Any]:
        """Change it; a refusal is told in the form."""
        data = super().clean() or {}
        if self.errors:
            return data
        if data["new"] != data["again"]:
            raise forms.ValidationError("The two new passwords differ.")
        return data


class NewAccountForm(forms.ModelForm[User]):
    """The console's form for a new account: who, under which name, with which role. No password."""

    role = forms.ChoiceField(choices=[(role.value, role.label) for role in Role if role in CONSOLE_ROLES])

    class Meta:
        model = User
        fields = ("person", "username", "email")
