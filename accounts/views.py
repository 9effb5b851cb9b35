"""allauth's pages whose acts leave an entry in the log, and the page of one's own password."""

from contextlib import AbstractContextManager
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.mfa.base.views import IndexView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from allauth.socialaccount.views import ConnectionsView
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
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


class Verified(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """A provider whose tokens are verified by its keys, whichever way they came."""

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        # allauth trusts what it fetched itself over TLS; a proxy on that way should not be enough.
        self.did_fetch_access_token = False
        claims: dict[str, Any] = super()._decode_id_token(app, id_token)
        return claims

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Read who it is; both of the provider's answers must name the same one."""
        login = super().complete_login(request, app, token, **kwargs)
        told = login.account.extra_data
        if told.get("id_token", {}).get("sub") != told.get("userinfo", {}).get("sub"):
            raise PermissionDenied("The provider named two different identities.")
        return login


@login_not_required
def identity_login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the provider."""
    return _by_provider(OAuth2LoginView, request, provider_id)


@login_not_required
def identity_callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Come back from it."""
    return _by_provider(OAuth2CallbackView, request, provider_id)


def _by_provider(view: Any, request: HttpRequest, provider_id: str) -> HttpResponse:
    try:
        answer: HttpResponse = view.adapter_view(Verified(request, provider_id))(request)
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    return answer


class Identities(ConnectionsView):  # type: ignore[misc]
    """One's own identities of the provider: connect one, or give it up."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Give it up, with its entry."""
        assert isinstance(self.request.user, User)  # noqa: S101 - the page demands a signed-in account
        with sessions.changing_identity(self.request.user, REMOVED):
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
