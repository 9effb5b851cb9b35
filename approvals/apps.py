"""The app that decides: requests, votes, policies, the attestation behind the badge."""

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """Who decides, and on what."""

    name = "approvals"
    default_auto_field = "django.db.models.BigAutoField"
