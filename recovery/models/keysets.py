"""Keysets: the public halves that backups are also wrapped for; private halves lie elsewhere."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone


class LossProtection(models.Model):
    """How this installation protects against the loss of a password; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    # Whether keysets are made here: this installation is an Enterprise Manager.
    enterprise = models.UUIDField(null=True)
    suite = models.CharField(max_length=10, default="rsa-4096")
    retention_weeks = models.PositiveSmallIntegerField(default=4)
    # A new keyset is made before the active one expires; its activation still waits for Security.
    automatic = models.BooleanField(default=False)
    # Who set that: the activation is asked for in this account's name.
    automatic_by = models.UUIDField(null=True)
    # The enterprise key that this backup server took, once its fingerprint was compared.
    trusted_enterprise = models.UUIDField(null=True)
    trusted_key = models.BinaryField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_loss_protection")]


class Keyset(models.Model):
    """A keyset by its public half; `own`: the enterprise worker here holds the private one."""

    class State(models.TextChoices):
        INACTIVE = "inactive", "Inactive"
        ACTIVE = "active", "Active"
        RETIRED = "retired", "Retired"
        DELETED = "deleted", "Deleted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    suite = models.CharField(max_length=10)
    public = models.BinaryField()
    description = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.INACTIVE)
    own = models.BooleanField(default=True)
    imported = models.BooleanField(default=False)
    enterprise = models.UUIDField()
    # The signed announcement, once it was activated; another installation takes it from there.
    announcement = models.JSONField(null=True)
    request = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    activated_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    exported_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="active"), name="one_active_keyset"),
            models.CheckConstraint(
                condition=Q(state__in=["inactive", "active", "retired", "deleted"]), name="known_keyset_state"
            ),
            models.CheckConstraint(
                condition=~Q(state="active") | Q(announcement__isnull=False),
                name="active_keyset_is_announced",
            ),
        ]

    def __str__(self) -> str:
        return self.description or f"Keyset of {self.created_at:%-d %B %Y}"
