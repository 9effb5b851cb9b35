"""Backup servers by their keys, and the cases in which one asks to have storage keys opened."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone


class BackupServer(models.Model):
    """A backup server's public identity; `own` is this installation's."""

    class State(models.TextChoices):
        OFFERED = "offered", "Offered, not compared yet"
        REGISTERED = "registered", "Registered"
        REVOKED = "revoked", "Revoked"

    id = models.UUIDField(primary_key=True, editable=False)
    name = models.CharField(max_length=120)
    kem = models.CharField(max_length=10)
    sealing_key = models.BinaryField()
    signing_key = models.BinaryField()
    document = models.JSONField()
    # What people compare: SHA-256 of the registration's canonical bytes.
    fingerprint = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OFFERED)
    own = models.BooleanField(default=False)
    request = models.UUIDField(null=True)
    offered_at = models.DateTimeField(default=timezone.now)
    registered_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["own"], condition=Q(own=True), name="one_own_server"),
            models.CheckConstraint(
                condition=Q(state__in=["offered", "registered", "revoked"]), name="known_server_state"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RecoveryCase(models.Model):
    """One request for storage keys, as one of the two sides sees it."""

    class Side(models.TextChoices):
        BACKUP = "backup", "Backup server"
        ENTERPRISE = "enterprise", "Enterprise Manager"

    class State(models.TextChoices):
        MADE = "made", "Request being made"
        ASKED = "asked", "Waiting for an answer"
        ANSWERED = "answered", "Answered"
        OPENED = "opened", "Keys opened"
        USED = "used", "Used up"
        REFUSED = "refused", "Refused"
        EXPIRED = "expired", "Expired"

    row = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The id that both sides know it by.
    case = models.UUIDField()
    side = models.CharField(max_length=10, choices=Side.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.MADE)
    number = models.CharField(max_length=60, blank=True)
    reason = models.TextField(blank=True)
    server = models.ForeignKey(BackupServer, on_delete=models.PROTECT, null=True, related_name="cases")
    # The whole request, as carried; the enterprise side keeps it as evidence.
    request = models.BinaryField(null=True)
    request_sha256 = models.CharField(max_length=64, blank=True)
    nonce = models.BinaryField(null=True)
    jobs = models.JSONField(default=list)
    keysets = models.JSONField(default=list)
    keys = models.PositiveIntegerField(default=0)
    # The approval request (`recover_key`) that decides on the answer.
    approval = models.UUIDField(null=True)
    response = models.BinaryField(null=True)
    # Backup side: the opened storage keys, sealed under the worker's master key until they are used.
    sealed_keys = models.BinaryField(null=True)
    why = models.TextField(blank=True)
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["case", "side"], name="one_case_a_side"),
            models.UniqueConstraint(fields=["nonce", "side"], name="one_nonce_a_side"),
            models.CheckConstraint(condition=Q(side__in=["backup", "enterprise"]), name="known_case_side"),
        ]

    def __str__(self) -> str:
        return self.number or str(self.case)[:8]
