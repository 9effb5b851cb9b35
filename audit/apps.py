"""The app of what happened: log, outbox, signing, alarms."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The log and what makes it evidence."""

    name = "audit"
    default_auto_field = "django.db.models.BigAutoField"
