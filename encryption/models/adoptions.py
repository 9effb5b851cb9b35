"""Values that people offer as the one in force of a Veeam password."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from encryption.models.passwords import EncryptionPassword


class VeeamAdoption(models.Model):
    """A value that somebody typed as the one in force of a Veeam password, until Veeam has verified it."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        ADOPTED = "adopted", "Proved and adopted"
        WRONG = "wrong", "Not the password"
        FAILED = "failed", "Not proved"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    password = models.ForeignKey(EncryptionPassword, on_delete=models.PROTECT, related_name="adoptions")
    asked_by = models.UUIDField()
    person = models.UUIDField()
    asked_at = models.DateTimeField(default=timezone.now)
    # For the intake key, until it was tried.
    sealed = models.BinaryField(null=True, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    said = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-asked_at"]
        indexes = [models.Index(fields=["password", "asked_at"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting", done_at=None) | Q(sealed=None, done_at__isnull=False),
                name="an_ended_adoption_keeps_no_secret",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.password} ({self.get_state_display()})"
