"""The app that says what should be so: the analyzer's checks, and reports."""

from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    """What an auditor asks."""

    name = "compliance"
    default_auto_field = "django.db.models.BigAutoField"
