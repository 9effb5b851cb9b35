"""The app of people: persons, users, roles, the Security Role."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People and what they may do."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
