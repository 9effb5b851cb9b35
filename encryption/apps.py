"""The app of what happens after a yes: jobs, passwords, keys, re-keys."""

from django.apps import AppConfig
from django.conf import settings

from encryption.crypto import fips


class EncryptionConfig(AppConfig):
    """Jobs, passwords, keys and engines."""

    name = "encryption"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell the primitives whether this process runs under FIPS."""
        fips.enforce(settings.VEEAMSEC_FIPS)
