"""What somebody asks for, one form a kind; each tidies its fields into what the service takes."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from accounts.models import User
from approvals.services.wishes import MAX_TEXT
from encryption import selectors
from encryption.models import EncryptionPassword, Job
from veeamsec.pages.forms.value import MADE, NewValue

Section = tuple[str, str, Sequence[str]]


class JobsField(forms.TypedMultipleChoiceField):
    """Jobs by tick; drawn in a box that scrolls."""

    picks = True
    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(coerce=UUID, label="Jobs", **kwargs)


class AskForm(forms.Form):
    """What every request says: why, and the answers to the procedure's questions."""

    sections: Sequence[Section] = ()
    reason = forms.CharField(
        label="Reason",
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Those who decide read it first. Say what happened and why now.",
    )

    def __init__(self, *args: Any, viewer: User, questions: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.questions = list(questions)
        for number, question in enumerate(self.questions):
            box = forms.Textarea(attrs={"rows": 2})
            self.fields[f"answer_{number}"] = forms.CharField(label=question, max_length=MAX_TEXT, widget=box)
        self.choose(viewer)

    def choose(self, viewer: User) -> None:
        """Fill the choices with what the viewer may see."""

    def drawn(self) -> list[dict[str, Any]]:
        """The sections with their bound fields."""
        return [
            {"title": title, "note": note, "fields": [self[name] for name in names]}
            for title, note, names in self.sections
        ]

    def asked(self) -> list[Any]:
        """The bound fields of the procedure's questions."""
        return [self[f"answer_{number}"] for number in range(len(self.questions))]

    def wish(self) -> dict[str, Any]:
        """What the service is asked, custody apart."""
        answers = [
            {"question": question, "answer": self.cleaned_data[f"answer_{number}"]}
            for number, question in enumerate(self.questions)
        ]
        return {"reason": self.cleaned_data["reason"], "answers": answers}


class ActivateForm(NewValue, AskForm):
    """Encrypt jobs, under a new password or one that exists."""

    sections = (
        ("Which jobs", "", ("jobs",)),
        ("Which password", "", ("encryption_password", "hint", "new_password", "again")),
        MADE,
        ("When, and why", "", ("start", "reason")),
    )
    jobs = JobsField()
    encryption_password = forms.TypedChoiceField(
        label="Password", required=False, coerce=UUID, empty_value=None
    )
    start = forms.ChoiceField(
        label="Takes hold",
        widget=forms.RadioSelect,
        initial="next_run",
        choices=[
            ("next_run", "with each job's next run"),
            ("now", "at once: a full backup starts after the approval"),
        ],
    )

    def choose(self, viewer: User) -> None:
        """Offer jobs and passwords."""
        jobs = selectors.jobs_for(viewer).exclude(state=Job.State.DELETED)
        self.fields["jobs"].choices = [(job.pk, _job(job)) for job in jobs]  # type: ignore[attr-defined]
        passwords = [(one.pk, one.hint) for one in selectors.passwords_for(viewer)]
        self.fields["encryption_password"].choices = [("", "a new one, as said below"), *passwords]  # type: ignore[attr-defined]
        self.choose_custodian(viewer)

    def clean(self) -> dict[str, Any]:
        """Exactly one of a new password and one that exists."""
        data = super().clean() or {}
        existing = data.get("encryption_password")
        value = data.get("new_password") or data.get("generate")
        if existing and value:
            self.add_error("encryption_password", "Choose “a new one”, or name no new password below.")
        elif not existing and not value:
            self.add_error("new_password", "Type the new password, have it generated, or choose one.")
        if not existing and not data.get("hint"):
            self.add_error("hint", "A new password needs a hint.")
        self.check_value(data)
        return data

    def wish(self) -> dict[str, Any]:
        """What the service is asked."""
        data = self.cleaned_data
        return (
            super().wish()
            | self.value()
            | {
                "jobs": data["jobs"],
                "encryption_password": data["encryption_password"],
                "hint": "" if data["encryption_password"] else data["hint"],
                "start": data["start"],
            }
        )


class ChangeForm(NewValue, AskForm):
    """Give a password a new value; every job under it is re-keyed."""

    sections = (
        ("Which password", "", ("encryption_password", "hint", "new_password", "again")),
        MADE,
        ("How far, and why", "", ("scope", "reason")),
    )
    encryption_password = forms.TypedChoiceField(label="Password", coerce=UUID)
    scope = forms.ChoiceField(
        label="What is replaced",
        widget=forms.RadioSelect,
        initial="keys",
        choices=[
            ("keys", "the password: keys are wrapped anew, data stays as it is"),
            ("data", "the password and the keys of the data: a new full backup is written"),
        ],
    )

    def choose(self, viewer: User) -> None:
        """Offer passwords."""
        passwords = [(one.pk, one.hint) for one in selectors.passwords_for(viewer)]
        self.fields["encryption_password"].choices = [("", "choose one"), *passwords]  # type: ignore[attr-defined]
        self.choose_custodian(viewer)

    def clean(self) -> dict[str, Any]:
        """A new value there must be."""
        data = super().clean() or {}
        if not data.get("new_password") and not data.get("generate"):
            self.add_error("new_password", "Type the new password, or have it generated.")
        self.check_value(data)
        return data

    def wish(self) -> dict[str, Any]:
        """What the service is asked."""
        names = ("encryption_password", "hint", "scope")
        return super().wish() | self.value() | {name: self.cleaned_data[name] for name in names}


class DeactivateForm(AskForm):
    """Write without encryption from the next run on."""

    sections = (
        ("Which jobs", "", ("jobs",)),
        ("What becomes of the older points, and why", "", ("then", "reason")),
    )
    jobs = JobsField()
    then = forms.ChoiceField(
        label="Encrypted restore points",
        widget=forms.RadioSelect,
        initial="keep",
        choices=[
            ("keep", "stay, and keep needing their password"),
            ("delete", "are deleted once a plain full backup has succeeded"),
        ],
    )

    def choose(self, viewer: User) -> None:
        """Offer the jobs that are encrypted."""
        jobs = selectors.jobs_for(viewer).exclude(password=None)
        self.fields["jobs"].choices = [(job.pk, _job(job)) for job in jobs]  # type: ignore[attr-defined]

    def wish(self) -> dict[str, Any]:
        """What the service is asked."""
        return super().wish() | {name: self.cleaned_data[name] for name in ("jobs", "then")}


class DeleteForm(AskForm):
    """Erase every version of a password that nothing needs."""

    sections = (("Which password", "", ("encryption_password", "reason")),)
    encryption_password = forms.TypedChoiceField(label="Password", coerce=UUID)

    def choose(self, viewer: User) -> None:
        """Offer the passwords that no job uses."""
        unused = EncryptionPassword.objects.filter(jobs=None)
        passwords = [(one.pk, one.hint) for one in selectors.passwords_for(viewer).filter(pk__in=unused)]
        self.fields["encryption_password"].choices = [("", "choose one"), *passwords]  # type: ignore[attr-defined]

    def wish(self) -> dict[str, Any]:
        """What the service is asked."""
        return super().wish() | {"encryption_password": self.cleaned_data["encryption_password"]}


def _job(job: Job) -> str:
    under = f"under “{job.password.hint}”" if job.password else "not encrypted"
    return f"{job.name} · {job.source} · {under}"
