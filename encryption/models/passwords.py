"""Passwords and their versions; a value stands nowhere but sealed in its version."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone


class EncryptionPassword(models.Model):
    """A password with its life; the value stands only in its versions, sealed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    hint = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.hint


class PasswordVersion(models.Model):
    """One value that a password had, sealed under the worker's master key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    password = models.ForeignKey(EncryptionPassword, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    hint = models.CharField(max_length=255)
    kdf = models.JSONField()
    sealed_password = models.BinaryField(null=True)
    sealed_root = models.BinaryField(null=True)
    strength = models.PositiveSmallIntegerField()
    length = models.PositiveIntegerField()
    known_to = models.JSONField(default=list)
    # The person who asked for it: their own proof secures nothing.
    asked_by = models.UUIDField(null=True)
    request = models.UUIDField(null=True)
    in_force_from = models.DateTimeField(null=True, blank=True)
    in_force_until = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["password", "number"], name="one_version_a_number"),
            models.CheckConstraint(condition=Q(number__gte=1), name="versions_count_from_one"),
            # An erased version holds nothing; one that is not holds both. An adopted one holds neither until
            # somebody proved to know it, and a version of Veeam's never a root.
            models.CheckConstraint(
                condition=Q(erased_at=None, sealed_password__isnull=False, sealed_root__isnull=False)
                | Q(erased_at__isnull=False, sealed_password=None, sealed_root=None)
                | Q(erased_at=None, sealed_password=None, sealed_root=None)
                | Q(kdf={}, erased_at=None, sealed_root=None),
                name="version_sealed_or_erased",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hint} (version {self.number})"

    @property
    def is_unproven(self) -> bool:
        """Whether it is in use somewhere and nobody here has proved to know its value."""
        return self.sealed_password is None and self.erased_at is None
