"""What the enterprise worker is told to do: by a signed order, or, where it opens nothing, a wish."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone


class EnterpriseTask(models.Model):
    """One thing for the enterprise worker; done or refused once."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    action = models.CharField(max_length=20)
    # The signed order; null for a new keyset, of no use until it is activated by one, and for a revocation.
    order = models.JSONField(null=True)
    # What the action needs beside the order: a suite and a description, or an export's text.
    given = models.JSONField(default=dict)
    # A passphrase, sealed by the worker to the enterprise worker's key; erased when the task ends.
    sealed = models.BinaryField(null=True)
    request = models.UUIDField(null=True, unique=True)
    asked_by = models.UUIDField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    # An exported keyset, as text.
    result = models.TextField(blank=True)
    why = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", ended_at=None)
                | Q(state__in=["done", "refused"], ended_at__isnull=False, sealed=None),
                name="enterprise_task_ends_erased",
            ),
            models.CheckConstraint(
                condition=Q(action__in=["generate", "revoke"], request=None)
                | Q(order__isnull=False, request__isnull=False),
                name="enterprise_task_is_ordered",
            ),
        ]
