"""The app of people: persons, users, roles, the Security Role."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People and what they may do."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Take from the console, filled by now, what would let one person act as another (P14)."""
        from allauth.account.models import EmailAddress, EmailConfirmation
        from allauth.mfa.models import Authenticator
        from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
        from allauth.usersessions.models import UserSession
        from django.contrib import admin
        from django.contrib.auth.models import Group

        identities = (SocialAccount, SocialApp, SocialToken)
        for model in (Group, Authenticator, EmailAddress, EmailConfirmation, UserSession, *identities):
            if admin.site.is_registered(model):
                admin.site.unregister(model)
