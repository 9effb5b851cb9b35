"""A password in force that nobody proved: typed once, and Veeam or the keyring says whether it is right."""

from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from audit.errors import Refused
from encryption import selectors
from encryption.crypto.secret import LONGEST_PASSWORD, Secret
from encryption.models import AdoptedJob, EncryptionPassword, VeeamAdoption, VeeamPassword
from encryption.services import offering
from veeamsec.pages.viewer import demand, viewer_of

_ASK = "encryption.ask_change_job"


class AdoptForm(forms.Form):
    """The value that is in force."""

    password = forms.CharField(
        label="Password in force",
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Type it from the copy that you have. It is sealed as it arrives; the worker has it"
        " compared, and forgets it if it is wrong.",
    )


@never_cache
@sensitive_post_parameters("password")
@sensitive_variables("form", "typed")
@require_http_methods(["GET", "POST"])
def adopt(request: HttpRequest, password_id: UUID) -> HttpResponse:
    """Offer the value; a page then waits for what is found."""
    viewer = viewer_of(request)
    password = get_object_or_404(selectors.passwords_for(viewer), pk=password_id)
    demand(viewer, _ASK)
    form = AdoptForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        typed = Secret(form.cleaned_data["password"].encode())
        try:
            offer = offering.offer(password.pk, by=viewer, typed=typed)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("adoption", offer.pk)
    context = {"password": password, "form": form, "found": _was_found(password)}
    return render(request, "pages/veeam/adopt.html", context, status=400 if form.errors else 200)


@never_cache
@require_safe
def adoption(request: HttpRequest, adoption_id: UUID) -> HttpResponse:
    """What became of one's own offer."""
    mine = VeeamAdoption.objects.select_related("password")
    offer = get_object_or_404(mine, pk=adoption_id, asked_by=viewer_of(request).pk)
    context = {
        "offer": offer,
        "password": offer.password,
        "found": _was_found(offer.password),
        "waits": offer.done_at is None,
        "held": offer.state == VeeamAdoption.State.ADOPTED,
    }
    return render(request, "pages/veeam/adoption.html", context)


def may_adopt(viewer: User, password: EncryptionPassword) -> bool:
    """Whether the value in force of a password is nobody's here, and the viewer may bring it."""
    there = VeeamPassword.objects.filter(password=password, gone_at=None, is_kms=False).exists()
    newest = selectors.newest_version(password.pk) if there or _was_found(password) else None
    return newest is not None and newest.is_unproven and viewer.has_perm(_ASK)


def _was_found(password: EncryptionPassword) -> bool:
    """Whether it is one that an adopted keyring was found under."""
    return AdoptedJob.objects.filter(version__password=password).exists()
