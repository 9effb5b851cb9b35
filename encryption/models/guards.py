"""Keysets as the backup side needs them: public halves that new restore points are also wrapped for."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class KeysetGuard(models.Model):
    """One keyset in force, or that was; the Enterprise Manager's side of it lies in another app."""

    keyset = models.UUIDField(primary_key=True)
    suite = models.CharField(max_length=10)
    public = models.BinaryField()
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-since"]
        constraints = [
            # One at a time: each more would be one more party that opens everything.
            models.UniqueConstraint(
                fields=["until"], condition=Q(until=None), nulls_distinct=False, name="one_guard"
            ),
        ]


class RecoveredKeys(models.Model):
    """Storage keys that a recovery opened, sealed under the worker's master key until they are erased."""

    case = models.UUIDField(primary_key=True)
    # Which restore points they open.
    points = models.JSONField(default=list)
    sealed = models.BinaryField(null=True)
    opened_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(erased_at=None, sealed__isnull=False) | Q(erased_at__isnull=False, sealed=None),
                name="recovered_keys_held_or_erased",
            ),
        ]
