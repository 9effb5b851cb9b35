"""Who will hold a password: one row a copy."""

from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.http import QueryDict

from approvals.services.wishes import MAX_CUSTODY, MAX_HINT

# So many empty rows are offered; a button adds more, one at a time.
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


def one_more(data: QueryDict) -> BaseFormSet[CustodyForm]:
    """The same rows as were typed and an empty one, not judged yet."""
    told = data.get("custody-TOTAL_FORMS", "")
    count = min(MAX_CUSTODY, int(told) if told.isdecimal() and len(told) < 4 else COPIES)
    rows = [
        {name: data.get(f"custody-{row}-{name}", "") for name in CustodyForm.base_fields}
        for row in range(count)
    ]
    wider = formset_factory(
        CustodyForm, extra=min(MAX_CUSTODY, count + 1), max_num=MAX_CUSTODY, absolute_max=MAX_CUSTODY
    )
    found: BaseFormSet[CustodyForm] = wider(prefix="custody")
    for form, row in zip(found.forms, rows, strict=False):
        form.initial = row
    return found
