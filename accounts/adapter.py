"""allauth, bent to the house: nobody signs up, secrets rest encrypted, each way in and out is in the log."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.models import User
from accounts.selectors import has_factor, is_suspended
from accounts.services import factors, sessions


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-in and sign-out, with their entries."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes their own account."""
        return False

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        """Stop inactive accounts, suspended members, and service accounts: they have tokens, no sessions."""
        if not user.is_human or is_suspended(user):
            return HttpResponseRedirect(reverse("account_inactive"))
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def login(self, request: HttpRequest, user: Any) -> None:
        """Begin a session; without its entry there is none."""
        with sessions.signing_in(user, request):
            super().login(request, user)

    def logout(self, request: HttpRequest) -> None:
        """End a session."""
        with sessions.signing_out(request.user):
            super().logout(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Count a wrong name or password; the name itself may be a mistyped password and is not kept."""
        sessions.sign_in_failed(request, credentials.get("username"))

    def get_reauthentication_methods(self, user: AbstractBaseUser | AnonymousUser) -> list[dict[str, Any]]:
        """Who has a second factor proves themselves with it: a password does not change a factor."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if isinstance(user, User) and has_factor(user):
            return [method for method in methods if method["id"] != "reauthenticate"]
        return methods

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Ask again before factors change, save in the minutes after a sign-in that no factor could guard."""
        return app != "allauth.mfa" or not sessions.is_first_enrolment(context.request)

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Changes of factors are told by our own notices, which the worker sends."""


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Factors: encrypted at rest, bound to the one origin."""

    def encrypt(self, text: str) -> str:
        """Encrypt a secret for the database."""
        return factors.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt it again."""
        return factors.decrypt(encrypted_text)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Say whether a factor may go: not the last one of somebody who must have one."""
        return factors.may_remove(authenticator)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return the relying party: fixed by the configuration, not by a request's Host."""
        return {"id": urlsplit(settings.VEEAMSEC_ORIGIN).hostname or "", "name": "VeeamSec"}


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Identities of a provider: they open accounts that were connected before, and make nothing."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Nobody gets an account by an identity."""
        return False

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Nor without being asked."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Note which roles the groups propose; refuse what would connect to nobody, or to a service."""
        if not sociallogin.is_existing:
            if request.user.is_authenticated:
                # allauth asks for the factor again before it connects; without an entry it does not.
                with sessions.changing_identity(request.user, "offered"):
                    return
            raise PermissionDenied("This identity is connected to no account. Sign in, then connect it.")
        if not sociallogin.user.is_human:
            raise PermissionDenied("A service account has tokens, no sessions.")
        claims = sociallogin.account.extra_data
        groups = claims.get("groups") or claims.get("userinfo", {}).get("groups") or []
        sessions.note_proposals(sociallogin.user, groups)

    def on_authentication_error(self, request: HttpRequest, provider: Any, **kwargs: Any) -> None:
        """Count what ends at the provider's door, whatever it was."""
        sessions.identity_refused(request)

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """As with factors: our own notices tell."""
