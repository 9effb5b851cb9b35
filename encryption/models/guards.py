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
