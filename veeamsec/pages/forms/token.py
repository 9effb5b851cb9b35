"""A new token for programs."""

from django import forms

from accounts.services.users import TOKEN_DAYS_LIMIT


class TokenForm(forms.Form):
    """What it is for, what it opens, how long."""

    name = forms.CharField(
        label="What it is for",
        max_length=80,
        help_text="You will know it by this name when you take it back.",
    )
    scopes = forms.MultipleChoiceField(
        label="What it opens",
        widget=forms.CheckboxSelectMultiple,
        initial=["api"],
        choices=[
            ("api", "the API, with your rights; it decides on nothing"),
            ("metrics", "the figures for monitoring"),
        ],
    )
    days = forms.IntegerField(
        label="Days until it expires", min_value=1, max_value=TOKEN_DAYS_LIMIT, initial=90
    )
