"""Veeam servers: where one is, whether it is the right one, as whom we come; and what was changed there."""

from typing import Any
from uuid import UUID

from django import forms

from accounts.models import User
from encryption import selectors
from encryption.models import Drift
from veeamsec.pages.forms.ask import AskForm
from veeamsec.pages.veeam import changes

_ROLES = (
    "A service account of its own. To read, the role Backup Operator is enough; the configuration backup and"
    " the analyzer need Security Administrator, and governing needs Backup Administrator."
)


class LookForm(forms.Form):
    """Where a server is; its certificate is read before anything is sent to it."""

    address = forms.CharField(
        label="Address", max_length=253, help_text="The backup server's name, as this network knows it."
    )
    port = forms.IntegerField(label="Port", min_value=1, max_value=65_535, initial=9419)


class ConnectForm(forms.Form):
    """The account, once the certificate was compared."""

    compared = forms.BooleanField(
        label="I compared the thumbprint",
        help_text="with the one that the server itself shows, by another way than this page.",
    )
    name = forms.CharField(
        label="Name", max_length=120, help_text="How people here call this server.", initial=""
    )
    account = forms.CharField(label="Account", max_length=255, help_text=_ROLES)
    password = forms.CharField(
        label="Password of the account",
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="It is sealed as it arrives: only the worker opens it, and only for this server.",
    )


class SettingsForm(forms.Form):
    """How a server is held: who may change things there, and with which account we come."""

    mode = forms.ChoiceField(
        label="How it is held",
        widget=forms.RadioSelect,
        choices=[
            ("watching", "watching: read only, every change there raises an alarm"),
            ("enforced", "enforced: nobody but our account and the emergency account may change it"),
            ("off", "disconnected: not read any more; what is known stays"),
        ],
    )
    emergency_account = forms.CharField(
        label="Emergency account",
        max_length=255,
        required=False,
        help_text="One sealed account that may act when VeeamSec cannot. Its use raises an alarm.",
    )


class DriftForm(AskForm):
    """One change that was found, and why it may stand or must go."""

    sections = (("Which change", "", ("drift",)), ("Why", "", ("reason",)))
    drift = forms.TypedChoiceField(label="What was found", coerce=UUID)

    def choose(self, viewer: User) -> None:
        """Offer the open ones that the viewer may see."""
        found = selectors.drifts_for(viewer).filter(closed_at=None).order_by("-found_at")
        self.set_choices([(str(drift.pk), f"{changes.name_of(drift)}: {drift.text}") for drift in found])

    def set_choices(self, choices: list[tuple[str, str]]) -> None:
        """Fill the list of changes."""
        field = self.fields["drift"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101 - declared above
        field.choices = choices

    def wish(self) -> dict[str, Any]:
        """What the service is asked."""
        return super().wish() | {"drift": self.cleaned_data["drift"]}


class RevertForm(DriftForm):
    """A change that is put back; a gap has nothing to go back to."""

    def choose(self, viewer: User) -> None:
        """Offer what was changed, and not what was never encrypted."""
        found = selectors.drifts_for(viewer).filter(closed_at=None).exclude(what__in=Drift.GAPS)
        rows = found.order_by("-found_at")
        self.set_choices([(str(drift.pk), f"{changes.name_of(drift)}: {drift.text}") for drift in rows])
