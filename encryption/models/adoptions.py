"""What is taken over: values that people offer, and repositories without a record."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from encryption.models.jobs import Job, Repository
from encryption.models.passwords import EncryptionPassword, PasswordVersion


class VeeamAdoption(models.Model):
    """A value that somebody typed as the one in force, until Veeam or the adopted keyring has verified it."""

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


class RepositoryAdoption(models.Model):
    """One reading of a native repository for what is not on record, and what came of it."""

    class State(models.TextChoices):
        WAITING = "waiting", "Being read"
        DONE = "done", "Read to its end"
        FAILED = "failed", "Not read to its end"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    repository = models.ForeignKey(Repository, on_delete=models.PROTECT, related_name="adoptions")
    asked_by = models.UUIDField()
    asked_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    said = models.TextField(blank=True)
    # What it put on record, and what it could not read: some by name [{"what", "why"}], all counted.
    jobs = models.PositiveIntegerField(default=0)
    points = models.PositiveIntegerField(default=0)
    unread = models.PositiveIntegerField(default=0)
    named = models.JSONField(default=list)
    # Who signed the recovery lines there: {server: how many restore points}.
    signers = models.JSONField(default=dict)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting", done_at=None)
                | Q(state__in=["done", "failed"], done_at__isnull=False),
                name="an_adoption_ends_with_a_time",
            ),
            models.UniqueConstraint(
                fields=["repository"], condition=Q(state="waiting"), name="one_adoption_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.repository} ({self.get_state_display()})"


class AdoptedJob(models.Model):
    """A job that was found in a repository, with the keyring that lay there; approved by nobody.

    `version` is what the keyring answers to, empty of any value until somebody proved to know it.
    """

    job = models.OneToOneField(Job, on_delete=models.PROTECT, primary_key=True, related_name="adopted")
    adoption = models.ForeignKey(RepositoryAdoption, on_delete=models.PROTECT, related_name="adopted")
    # None: no keyring, all plain.
    version = models.ForeignKey(PasswordVersion, on_delete=models.PROTECT, null=True, related_name="adopted")
    user_key = models.UUIDField(null=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    adopted_at = models.DateTimeField(default=timezone.now)
    proved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(version=None, user_key=None, fingerprint="")
                | Q(version__isnull=False, user_key__isnull=False),
                name="adopted_keyring_names_its_version",
            ),
        ]

    def __str__(self) -> str:
        return str(self.job)
