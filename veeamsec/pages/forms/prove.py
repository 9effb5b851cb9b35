"""A custodian types the password from their copy."""

from django import forms


class ProveForm(forms.Form):
    """The password, as it stands on the copy."""

    password = forms.CharField(
        label="The password, from your copy",
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Take it from where it lies, not from memory. It is sealed as it arrives and kept nowhere.",
    )
