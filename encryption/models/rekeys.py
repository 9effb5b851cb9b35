"""What an approved request sets to work, what was found instead, and the proof behind a badge."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from encryption.models.jobs import Job, Repository
from encryption.models.passwords import EncryptionPassword, PasswordVersion


class Rekey(models.Model):
    """The work that one approved request authorises; its signed order is what workers obey."""

    class Action(models.TextChoices):
        ACTIVATE = "activate", "Activation"
        CHANGE = "change", "Change of password"
        DEACTIVATE = "deactivate", "Deactivation"

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        PARTIAL = "partial", "Done for some jobs"
        FAILED = "failed", "Failed, nothing changed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.UUIDField(unique=True)
    action = models.CharField(max_length=12, choices=Action.choices)
    scope = models.CharField(max_length=4, choices=[("keys", "Keys"), ("data", "Data")], default="keys")
    version = models.ForeignKey(PasswordVersion, on_delete=models.PROTECT, null=True, related_name="rekeys")
    order = models.JSONField()
    # Until then a step that failed without a change is tried again.
    retry_until = models.DateTimeField()
    # Where fulls start at once: so many in 24 hours.
    fulls_a_night = models.PositiveSmallIntegerField(default=10)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(action="deactivate", version=None)
                | Q(action__in=["activate", "change"], version__isnull=False),
                name="rekey_has_a_version",
            ),
            models.CheckConstraint(condition=Q(scope__in=["keys", "data"]), name="known_scope"),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"], ended_at=None)
                | Q(state__in=["succeeded", "partial", "failed"], ended_at__isnull=False),
                name="rekey_ends_with_a_time",
            ),
        ]


class RekeyJob(models.Model):
    """One job's step of a re-key."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed, nothing changed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rekey = models.ForeignKey(Rekey, on_delete=models.PROTECT, related_name="steps")
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="rekey_steps")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    user_key = models.UUIDField(null=True)
    old_fingerprint = models.CharField(max_length=64)
    new_fingerprint = models.CharField(max_length=64)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    fence = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    proof = models.JSONField(default=dict)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    OPEN = (State.QUEUED, State.RUNNING)

    class Meta:
        indexes = [models.Index(fields=["user_key"])]
        constraints = [
            models.UniqueConstraint(fields=["rekey", "job"], name="one_step_a_job"),
            models.UniqueConstraint(
                fields=["job"], condition=Q(state__in=["queued", "running"]), name="one_open_step_a_job"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"], ended_at=None)
                | Q(state__in=["succeeded", "failed"], ended_at__isnull=False),
                name="step_ends_with_a_time",
            ),
        ]


class Drift(models.Model):
    """A difference between what was approved and what was found, of one job, password or repository."""

    class What(models.TextChoices):
        KEYRING_CHANGED = "keyring.changed", "Keyring changed"
        KEYRING_MISSING = "keyring.missing", "Keyring missing"
        KEYRING_UNKNOWN = "keyring.unknown", "Keyring of others"
        KEYRING_DAMAGED = "keyring.damaged", "Keyring damaged"
        POINTS_MISSING = "points.missing", "Restore points missing"
        POINTS_UNKNOWN = "points.unknown", "Restore points of others"
        VEEAM_PASSWORD_CHANGED = "veeam.password_changed", "Password changed in Veeam"
        VEEAM_PASSWORD_ADDED = "veeam.password_added", "Password added in Veeam"
        VEEAM_PASSWORD_DELETED = "veeam.password_deleted", "Password deleted in Veeam"
        VEEAM_ENCRYPTION_CHANGED = "veeam.encryption_changed", "Encryption changed in Veeam"
        VEEAM_ENCRYPTION_OFF = "veeam.encryption_off", "Encryption switched off in Veeam"
        VEEAM_METADATA = "veeam.metadata", "Only the time of a password moved"
        # Gaps: never encrypted, or not all the way. They need a reason, not an alarm.
        VEEAM_JOB_PLAIN = "veeam.job_plain", "A job without encryption"
        VEEAM_COPY_PLAIN = "veeam.copy_plain", "A copy that decrypts"
        VEEAM_TIER_PLAIN = "veeam.tier_plain", "A tier without encryption"
        VEEAM_CONFIGURATION_PLAIN = "veeam.configuration_plain", "Configuration backup without encryption"

    GAPS = (
        What.VEEAM_JOB_PLAIN,
        What.VEEAM_COPY_PLAIN,
        What.VEEAM_TIER_PLAIN,
        What.VEEAM_CONFIGURATION_PLAIN,
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, related_name="drifts")
    password = models.ForeignKey(
        EncryptionPassword, on_delete=models.PROTECT, null=True, related_name="drifts"
    )
    repository = models.ForeignKey(Repository, on_delete=models.PROTECT, null=True, related_name="drifts")
    what = models.CharField(max_length=40, choices=What.choices)
    found = models.JSONField(default=dict)
    found_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)
    explained_by = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["job", "password", "repository", "what"],
                condition=Q(closed_at=None),
                nulls_distinct=False,
                name="one_open_drift",
            ),
            models.CheckConstraint(
                condition=Q(job__isnull=False, password=None, repository=None)
                | Q(job=None, password__isnull=False, repository=None)
                | Q(job=None, password=None, repository__isnull=False),
                name="drift_of_one_thing",
            ),
        ]

    @property
    def text(self) -> str:
        """Say in plain words what was found."""
        count = self.found.get("count", 0)
        points = "1 restore point" if count == 1 else f"{count} restore points"
        texts = {
            self.What.KEYRING_CHANGED: "The keyring is not the one that VeeamSec left there.",
            self.What.KEYRING_MISSING: "The keyring is gone.",
            self.What.KEYRING_UNKNOWN: "There is a keyring that VeeamSec did not make.",
            self.What.KEYRING_DAMAGED: f"The keyring does not hold: {self.found.get('error', '')}",
            self.What.POINTS_MISSING: f"{points} of the record cannot be found with their keys.",
            self.What.POINTS_UNKNOWN: f"{points} lie in the folder that VeeamSec did not write.",
            **_OF_VEEAM,
        }
        text = texts.get(self.What(self.what), self.what) if self.what in self.What.values else self.what
        if self.found.get("gone"):
            text = "The job, which was encrypted, is gone from Veeam; no executed request explains it."
        return f"{text} {self.by}" if self.by else text

    @property
    def by(self) -> str:
        r"""Say who did it, as Veeam's own event told: `By TECH\user1, 2 Nov 2026, 10:42 UTC, from …`."""
        actor = self.found.get("actor")
        if not actor:
            return ""
        at = datetime.fromisoformat(actor["at"])
        when = f"{at.day} {at:%b %Y, %H:%M} UTC"
        return f"By {actor['user']}, {when}, from Veeam's event {actor['number']}."


_OF_VEEAM: dict[str, str] = {
    Drift.What.VEEAM_PASSWORD_CHANGED: "The password was changed in Veeam; no executed request explains it.",
    Drift.What.VEEAM_PASSWORD_ADDED: "A password was added in Veeam; no executed request explains it.",
    Drift.What.VEEAM_PASSWORD_DELETED: "The password was deleted in Veeam; no executed request explains it.",
    Drift.What.VEEAM_ENCRYPTION_CHANGED: "Another password was given to the job in Veeam, unapproved.",
    Drift.What.VEEAM_ENCRYPTION_OFF: "Encryption was switched off in Veeam, unapproved.",
    Drift.What.VEEAM_METADATA: "The password's time moved in Veeam; its value is still the known one.",
    Drift.What.VEEAM_JOB_PLAIN: "This job writes without encryption.",
    Drift.What.VEEAM_COPY_PLAIN: "This copy decrypts what it copies.",
    Drift.What.VEEAM_TIER_PLAIN: "A tier of this repository is not encrypted.",
    Drift.What.VEEAM_CONFIGURATION_PLAIN: "The configuration backup is off, or not encrypted.",
}


class Attestation(models.Model):
    """The signed statement behind a badge; insert only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="attestations")
    rekey = models.ForeignKey(Rekey, on_delete=models.PROTECT, related_name="attestations")
    fingerprint = models.CharField(max_length=64)
    envelope = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "rekey"], name="one_attestation_a_step")]
