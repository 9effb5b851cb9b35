"""What is typed, pasted or uploaded when a password is lost, and around keysets."""

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.core.files.uploadedfile import UploadedFile

from accounts.models import User
from approvals.services.kinds.enterprise import SHORTEST_PASSPHRASE, WEEKS
from approvals.services.wishes import MAX_TEXT
from encryption import selectors
from encryption.crypto import fips, keysets
from encryption.models import Engine
from recovery.armor import LARGEST
from recovery.models import BackupServer, Keyset, RecoveryCase
from veeamsec.pages.forms.ask import AskForm

# A text that fits into a form; longer ones come as a file.
_PASTED = 1024 * 1024


def _suites() -> list[tuple[str, str]]:
    own = [(keysets.RSA, "RSA-4096, as Veeam's own keysets")]
    if fips.is_in_force():
        return own
    return [*own, (keysets.X_WING, "X-Wing: ML-KEM-768 with X25519, safe from quantum computers too")]


class GenerateForm(forms.Form):
    """A new keyset."""

    description = forms.CharField(
        label="Description", max_length=200, help_text="By this people tell it from others."
    )
    suite = forms.ChoiceField(
        label="Suite",
        widget=forms.RadioSelect,
        initial=keysets.RSA,
        choices=_suites,
    )


class AutomaticForm(forms.Form):
    """Whether keysets are made by themselves."""

    automatic = forms.BooleanField(
        label="Make the next keyset before the one in force runs out",
        required=False,
        help_text="Its activation is asked for in your name, and waits for Security.",
    )
    weeks = forms.IntegerField(label="Weeks in force", min_value=1, max_value=520)
    suite = forms.ChoiceField(label="Suite", widget=forms.RadioSelect, choices=_suites)


class RevokeForm(forms.Form):
    """Why a backup server shall count no more."""

    reason = forms.CharField(label="Reason", max_length=200)


class TextForm(forms.Form):
    """A text that was carried here: pasted, or as a file."""

    text = forms.CharField(
        label="Text",
        required=False,
        max_length=_PASTED,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text="All of it, from the BEGIN to the END line; what a mail program did to it does not matter.",
    )
    file = forms.FileField(label="Or a file", required=False, help_text="Above 1 MB.")

    def clean(self) -> dict[str, Any]:
        """Take one of both."""
        data = super().clean() or {}
        file: UploadedFile[Any] | None = data.get("file")
        if bool(file) == bool(data.get("text")):
            raise forms.ValidationError("Paste the text, or choose a file: one of both.")
        if file is not None:
            if (file.size or 0) > LARGEST:
                raise forms.ValidationError("This file is larger than any of ours.")
            data["text"] = file.read().decode("utf-8", "replace")
        return data


class ReceiveForm(TextForm):
    """A backup server's request."""

    number = forms.CharField(
        label="Case number", max_length=60, help_text="As your service desk knows it.", required=False
    )


class TakeForm(TextForm):
    """Another installation's announcement, and why its keyset is taken."""

    reason = forms.CharField(label="Reason", max_length=MAX_TEXT, widget=forms.Textarea(attrs={"rows": 3}))


class CaseForm(forms.Form):
    """Which jobs' keys are needed, and why."""

    jobs = forms.TypedMultipleChoiceField(label="Jobs", coerce=UUID, widget=forms.CheckboxSelectMultiple)
    number = forms.CharField(label="Case number", max_length=60, required=False)
    reason = forms.CharField(label="Reason", max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, viewer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        native = selectors.jobs_for(viewer).filter(repository__engine=Engine.NATIVE)
        field = self.fields["jobs"]
        assert isinstance(field, forms.TypedMultipleChoiceField)  # noqa: S101 - declared above
        field.choices = [(str(pk), name) for pk, name in native.values_list("pk", "name")]


class _AboutOne(AskForm):
    """A request about one thing of the Enterprise Manager."""

    what: ClassVar[str]

    def choose(self, viewer: User) -> None:
        """Offer what can be asked about."""
        field = self.fields[self.what]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101 - declared below
        field.choices = self.offered()

    def offered(self) -> list[tuple[str, str]]:
        """Return what can be asked about, by its id."""
        raise NotImplementedError

    def wish(self) -> dict[str, Any]:
        """What the service is asked."""
        return super().wish() | {self.what: self.cleaned_data[self.what]}


class ActivateKeysetForm(_AboutOne):
    """A keyset comes in force."""

    what = "keyset"
    sections = (("Which keyset", "", ("keyset", "weeks")), ("Why", "", ("reason",)))
    keyset = forms.TypedChoiceField(label="Keyset", coerce=UUID)
    weeks = forms.IntegerField(label="Weeks in force", min_value=1, max_value=520, initial=WEEKS)

    def offered(self) -> list[tuple[str, str]]:
        """Inactive and retired ones."""
        states = (Keyset.State.INACTIVE, Keyset.State.RETIRED)
        return [(str(one.pk), str(one)) for one in Keyset.objects.filter(own=True, state__in=states)]

    def wish(self) -> dict[str, Any]:
        """What the service is asked."""
        return super().wish() | {"weeks": self.cleaned_data["weeks"]}


class DeleteKeysetForm(_AboutOne):
    """A keyset's private half goes for ever."""

    what = "keyset"
    sections = (("Which keyset", "", ("keyset",)), ("Why", "", ("reason",)))
    keyset = forms.TypedChoiceField(label="Keyset", coerce=UUID)

    def offered(self) -> list[tuple[str, str]]:
        """Inactive and retired ones."""
        states = (Keyset.State.INACTIVE, Keyset.State.RETIRED)
        return [(str(one.pk), str(one)) for one in Keyset.objects.filter(own=True, state__in=states)]


class _Passphrase(forms.Form):
    """The passphrase of an export."""

    passphrase = forms.CharField(
        label="Passphrase",
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=f"{SHORTEST_PASSPHRASE} signs or more. It is sealed as it arrives; no page shows it again.",
    )


class ExportKeysetForm(_Passphrase, _AboutOne):
    """A keyset leaves the house under a passphrase."""

    what = "keyset"
    sections = (("Which keyset", "", ("keyset", "passphrase")), ("Why", "", ("reason",)))
    keyset = forms.TypedChoiceField(label="Keyset", coerce=UUID)

    def offered(self) -> list[tuple[str, str]]:
        """All that are held here."""
        held = Keyset.objects.filter(own=True).exclude(state=Keyset.State.DELETED)
        return [(str(one.pk), str(one)) for one in held]

    def wish(self) -> dict[str, Any]:
        """What the service is asked."""
        return super().wish() | {"passphrase": self.cleaned_data["passphrase"]}


class ImportKeysetForm(_Passphrase, AskForm):
    """An exported keyset comes in."""

    sections = (("The export", "", ("text", "passphrase")), ("Why", "", ("reason",)))
    text = forms.CharField(
        label="Text", max_length=65_536, widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"})
    )

    def wish(self) -> dict[str, Any]:
        """What the service is asked."""
        data = self.cleaned_data
        return super().wish() | {"text": data["text"], "passphrase": data["passphrase"]}


class TakeKeysetForm(AskForm):
    """Another installation's keyset, as it announced it."""

    sections = (("The announcement", "", ("text",)), ("Why", "", ("reason",)))
    text = forms.CharField(
        label="Text", max_length=65_536, widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"})
    )

    def wish(self) -> dict[str, Any]:
        """What the service is asked."""
        return super().wish() | {"text": self.cleaned_data["text"]}


class RegisterServerForm(_AboutOne):
    """A backup server whose requests are answered."""

    what = "server"
    sections = (("Which server", "", ("server",)), ("Why", "", ("reason",)))
    server = forms.TypedChoiceField(label="Backup server", coerce=UUID)

    def offered(self) -> list[tuple[str, str]]:
        """Those that were offered."""
        return [(str(one.pk), one.name) for one in BackupServer.objects.filter(state="offered")]


class RecoverKeyForm(_AboutOne):
    """A recovery request that is to be answered."""

    what = "case"
    sections = (("Which case", "", ("case",)), ("Why", "", ("reason",)))
    case = forms.TypedChoiceField(label="Case", coerce=UUID)

    def offered(self) -> list[tuple[str, str]]:
        """Those that wait for an answer."""
        waiting = RecoveryCase.objects.filter(side="enterprise", state="asked").select_related("server")
        return [(str(one.pk), f"{one} · {one.server} · {one.keys} keys") for one in waiting]


class ReleaseForm(AskForm):
    """One version of a password for one custodian."""

    sections = (
        ("What, and to whom", "", ("encryption_password", "version", "user")),
        ("Why", "", ("reason",)),
    )
    encryption_password = forms.TypedChoiceField(label="Password", coerce=UUID)
    version = forms.IntegerField(label="Version", min_value=1, required=False, help_text="Empty: the newest.")
    user = forms.TypedChoiceField(label="Custodian", coerce=UUID)

    version.optional = True  # type: ignore[attr-defined]

    def choose(self, viewer: User) -> None:
        """Offer passwords that the viewer sees, and people with an account."""
        passwords, people = self.fields["encryption_password"], self.fields["user"]
        assert isinstance(passwords, forms.TypedChoiceField)  # noqa: S101 - declared above
        assert isinstance(people, forms.TypedChoiceField)  # noqa: S101 - declared above
        passwords.choices = [(str(one.pk), one.hint) for one in selectors.passwords_for(viewer)]
        active = User.objects.filter(is_active=True, is_human=True).select_related("person")
        people.choices = [(str(one.pk), one.person.name) for one in active.order_by("person__name")]

    def wish(self) -> dict[str, Any]:
        """What the service is asked."""
        data = self.cleaned_data
        return super().wish() | {name: data[name] for name in ("encryption_password", "version", "user")}
