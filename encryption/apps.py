"""The app of what happens after a yes: jobs, passwords, keys, re-keys."""

from django.apps import AppConfig


class EncryptionConfig(AppConfig):
    """Jobs, passwords, keys and engines."""

    name = "encryption"
    default_auto_field = "django.db.models.BigAutoField"
