"""allauth's pages whose acts leave an entry in the log, and the page of one's own password."""

from contextlib import AbstractContextManager
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.mfa.base.views import IndexView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic.edit import FormView

from accounts.errors import Invalid, StepUpRequired
from accounts.forms import OwnPasswordForm
from accounts.models import User
from accounts.services import factors, sessions, users

ADDED, REMOVED, RENEWED = "added", "removed", "renewed"


def _changing(request: HttpRequest, kind: Authenticator.Type, change: str) -> AbstractContextManager[None]:
    assert isinstance(request.user, User)  # noqa: S101 - every page demands a signed-in account
    return sessions.changing_factor(request.user, kind, change, keep=request.session.session_key)


class ActivateTOTP(ActivateTOTPView):  # type: ignore[misc]
    """Set up an authenticator app."""

    def form_valid(self, form: Form) -> HttpResponse:
        """Store the app's secret, with its entry."""
        with _changing(self.request, Authenticator.Type.TOTP, ADDED):
            response: HttpResponse = super().form_valid(form)
        return response


class DeactivateTOTP(DeactivateTOTPView):  # type: ignore[misc]
    """Give up an authenticator app."""

    def form_valid(self, form: Form) -> HttpResponse:
        """Remove it, with its entry."""
        with _changing(self.request, Authenticator.Type.TOTP, REMOVED):
            response: HttpResponse = super().form_valid(form)
        return response


class AddPasskey(AddWebAuthnView):  # type: ignore[misc]
    """Register a passkey."""

    def form_valid(self, form: Form) -> HttpResponse:
        """Store its public key, with its entry."""
        with _changing(self.request, Authenticator.Type.WEBAUTHN, ADDED):
            response: HttpResponse = super().form_valid(form)
        return response


class RemovePasskey(RemoveWebAuthnView):  # type: ignore[misc]
    """Give up a passkey; not the last factor of somebody who must have one."""

    def form_valid(self, form: Form) -> HttpResponse:
        """Remove it, with its entry."""
        if not factors.may_remove(self.get_object()):
            messages.error(self.request, "This is your last second factor: add another one first.")
            return HttpResponseRedirect(self.get_success_url())
        with _changing(self.request, Authenticator.Type.WEBAUTHN, REMOVED):
            response: HttpResponse = super().form_valid(form)
        return response


class GenerateRecoveryCodes(GenerateRecoveryCodesView):  # type: ignore[misc]
    """Make new recovery codes; the old ones are over."""

    def form_valid(self, form: Form) -> HttpResponse:
        """Store them, with their entry."""
        with _changing(self.request, Authenticator.Type.RECOVERY_CODES, RENEWED):
            response: HttpResponse = super().form_valid(form)
        return response


class Factors(IndexView):  # type: ignore[misc]
    """One's own factors."""


@method_decorator(sensitive_post_parameters(), name="dispatch")
@method_decorator(reauthentication_required(app="allauth.mfa"), name="dispatch")
class OwnPassword(FormView[OwnPasswordForm]):
    """Change one's own password: with the second factor just now, and the old password."""

    form_class = OwnPasswordForm
    template_name = "account/password_change.html"
    success_url = reverse_lazy("mfa_index")

    def get_form_kwargs(self) -> dict[str, Any]:
        """Give the form its person."""
        return super().get_form_kwargs() | {"user": self.request.user}

    def form_valid(self, form: OwnPasswordForm) -> HttpResponse:
        """Change it and keep this session; all others end."""
        try:
            users.set_own_password(
                by=form.user, current=form.cleaned_data["current"], new=form.cleaned_data["new"]
            )
        except (Invalid, StepUpRequired) as refused:
            form.add_error(None, str(refused))
            return self.form_invalid(form)
        update_session_auth_hash(self.request, form.user)
        messages.success(self.request, "Your password is changed.")
        return super().form_valid(form)
