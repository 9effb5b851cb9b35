"""Rotations of master keys, by the ids of both keys; the keys themselves are in no database."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone


class MasterRotation(models.Model):
    """One master key replaced by another; once retired, nothing may be stored under the former any more."""

    class Process(models.TextChoices):
        WORKER = "worker", "Worker"
        ENTERPRISE = "enterprise", "Enterprise worker"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    process = models.CharField(max_length=10, choices=Process.choices)
    # 16 bytes that name a key, in hex.
    former = models.CharField(max_length=32)
    key = models.CharField(max_length=32)
    begun_at = models.DateTimeField(default=timezone.now)
    # Counted in the transaction of this time: nothing was under the former key.
    retired_at = models.DateTimeField(null=True)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-begun_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["process"], condition=Q(destroyed_at=None), name="one_rotation_a_process"
            ),
            models.CheckConstraint(
                condition=Q(destroyed_at=None) | Q(retired_at__isnull=False), name="destroyed_after_retired"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_process_display()}, {self.begun_at:%Y-%m-%d}"
