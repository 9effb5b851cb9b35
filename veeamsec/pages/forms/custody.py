"""Who will hold a password: one row a copy."""

from typing import Any

from django import forms
from django.forms import formset_factory

from approvals.services.wishes import MAX_CUSTODY, MAX_HINT

# So many empty rows are offered; without a script none can be added.
COPIES = 3


class CustodyForm(forms.Form):
    """One copy of the password: on what, where, with whom."""

    medium = forms.CharField(label="Medium", max_length=MAX_HINT, required=False)
    place = forms.CharField(label="Place", max_length=MAX_HINT, required=False)
    custodian = forms.CharField(label="Custodian", max_length=MAX_HINT, required=False)
    offsite = forms.BooleanField(label="Away from the house", required=False)
    offline = forms.BooleanField(label="Offline", required=False)

    def clean(self) -> dict[str, Any]:
        """All of a row or nothing of it."""
        data = super().clean() or {}
        if any(data.values()):
            for name in ("medium", "place", "custodian"):
                if not data.get(name):
                    self.add_error(name, "This is missing.")
        return data


CustodyFormSet = formset_factory(CustodyForm, extra=COPIES, max_num=MAX_CUSTODY, absolute_max=MAX_CUSTODY)
