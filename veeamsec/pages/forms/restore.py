"""Where a restore goes, and what of it."""

from django import forms


class RestoreForm(forms.Form):
    """A folder, and paths if not everything is wanted."""

    to = forms.CharField(
        label="Restore into", max_length=1000, help_text="An absolute path on the worker's machine."
    )
    paths = forms.CharField(
        label="Only these paths",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One a line, as they stand in the backup; leave it empty to restore everything.",
    )

    case = forms.UUIDField(required=False, widget=forms.HiddenInput)

    # Drawn beside the label.
    paths.optional = True  # type: ignore[attr-defined]

    def clean_paths(self) -> list[str] | None:
        """The paths as a list; None for everything."""
        lines = [line.strip() for line in self.cleaned_data["paths"].splitlines()]
        return [line for line in lines if line] or None
