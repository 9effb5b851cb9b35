"""Who holds a password, where each copy lies, and the proofs that it is the right one."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Person, User
from encryption.models import PasswordVersion


class CustodyRecord(models.Model):
    """One copy of one version of a password."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(PasswordVersion, on_delete=models.PROTECT, related_name="custody")
    medium = models.CharField(max_length=120)
    place = models.CharField(max_length=200)
    offsite = models.BooleanField(default=False)
    offline = models.BooleanField(default=False)
    # As it was stated; the person, once they have an account here and are known to be meant.
    custodian = models.CharField(max_length=200)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="custody")
    request = models.UUIDField(null=True)
    stated_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["stated_at"]

    def own_proofs(self) -> "models.QuerySet[CustodyProof]":
        """Return the proofs of who keeps it now, newest first: a former keeper's say nothing of them."""
        return self.proofs.filter(person=self.person_id)


class CustodyProof(models.Model):
    """A custodian typed the password from their copy; what the worker found. Insert once, judged once."""

    class Found(models.TextChoices):
        WAITING = "waiting", "Being compared"
        EQUAL = "equal", "It is the right one"
        WRONG = "wrong", "It is not the right one"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    record = models.ForeignKey(CustodyRecord, on_delete=models.PROTECT, related_name="proofs")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    drill = models.BooleanField(default=False)
    # Sealed to the intake key as it was typed; erased when it is judged.
    sealed = models.BinaryField(null=True)
    found = models.CharField(max_length=10, choices=Found.choices, default=Found.WAITING)
    offered_at = models.DateTimeField(default=timezone.now)
    judged_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-offered_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(found="waiting", judged_at=None) | Q(judged_at__isnull=False, sealed=None),
                name="judged_proof_is_erased",
            ),
        ]


class Release(models.Model):
    """One version handed to a named custodian, on their own page, once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(PasswordVersion, on_delete=models.PROTECT, related_name="releases")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="releases")
    request = models.UUIDField(unique=True)
    # The open page's public point; what the worker sealed to it, until the page took it.
    public_key = models.BinaryField(null=True)
    sealed = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    sealed_at = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(taken_at=None) | Q(sealed=None, sealed_at__isnull=False),
                name="taken_release_is_erased",
            ),
        ]

    @property
    def is_first(self) -> bool:
        """Whether the value was generated for this custodian: nobody knew it before."""
        return self.request == self.version.request
