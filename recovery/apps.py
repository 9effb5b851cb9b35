"""The app that helps when a password is lost: keysets, recovery cases, custody."""

from django.apps import AppConfig


class RecoveryConfig(AppConfig):
    """What still opens a backup when nobody knows its password."""

    name = "recovery"
    default_auto_field = "django.db.models.BigAutoField"
