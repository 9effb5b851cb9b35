"""What is protected and with what: repositories, jobs, passwords and their versions, restore points, re-keys."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Engine(models.TextChoices):
    """What writes the backups of a repository."""

    NATIVE = "native", "Native"


class Repository(models.Model):
    """A place for backups: for the native engine a folder that holds `<job uuid>/`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, unique=True)
    engine = models.CharField(max_length=20, choices=Engine.choices, default=Engine.NATIVE)
    location = models.CharField(max_length=1000)
    media = models.CharField(max_length=60, blank=True)
    offsite = models.BooleanField(default=False)
    offline = models.BooleanField(default=False)
    immutable = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "repositories"

    def __str__(self) -> str:
        return self.name


class EncryptionPassword(models.Model):
    """A password with its life; the value stands only in its versions, sealed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    hint = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.hint


class PasswordVersion(models.Model):
    """One value that a password had, sealed under the worker's master key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    password = models.ForeignKey(EncryptionPassword, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    hint = models.CharField(max_length=120)
    kdf = models.JSONField()
    sealed_password = models.BinaryField(null=True)
    sealed_root = models.BinaryField(null=True)
    strength = models.PositiveSmallIntegerField()
    length = models.PositiveIntegerField()
    known_to = models.JSONField(default=list)
    request = models.UUIDField(null=True)
    in_force_from = models.DateTimeField(null=True, blank=True)
    in_force_until = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["password", "number"], name="one_version_a_number")]


class Job(models.Model):
    """What is backed up, when and how long it is kept."""

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        DISABLED = "disabled", "Disabled"
        DELETED = "deleted", "Deleted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, unique=True)
    repository = models.ForeignKey(Repository, on_delete=models.PROTECT, related_name="jobs")
    source = models.CharField(max_length=1000)
    include = models.JSONField(default=list, blank=True)
    exclude = models.JSONField(default=list, blank=True)
    one_file_system = models.BooleanField(default=True)
    schedule_minutes = models.PositiveIntegerField(null=True, blank=True)
    next_run_at = models.DateTimeField(null=True, blank=True)
    retention_points = models.PositiveIntegerField(default=14)
    retention_days = models.PositiveIntegerField(default=0)
    full_every = models.PositiveIntegerField(default=7)
    compression = models.BooleanField(default=True)
    data_category = models.CharField(max_length=120, blank=True)
    records_reference = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    # The approved password of the next run; null: the next run is plain.
    password = models.ForeignKey(
        EncryptionPassword, on_delete=models.PROTECT, null=True, blank=True, related_name="jobs"
    )
    full_next = models.BooleanField(default=False)
    observed_fingerprint = models.CharField(max_length=64, blank=True)
    observed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        permissions = [
            ("run_job", "Can run a job"),
            ("restore_job", "Can restore from a job"),
            ("ask_change_job", "Can ask for a change of a job's encryption"),
        ]

    def __str__(self) -> str:
        return self.name


class JobSession(models.Model):
    """One run, restore or verification of a job."""

    class Kind(models.TextChoices):
        BACKUP = "backup", "Backup"
        RESTORE = "restore", "Restore"
        VERIFY = "verify", "Verification"

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        WARNING = "warning", "Succeeded with warnings"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="sessions")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    asked_by = models.UUIDField(null=True)
    restore_point = models.UUIDField(null=True)
    # restore only: {"to": path, "paths": [..] | null}
    wish = models.JSONField(default=dict)
    done_bytes = models.BigIntegerField(default=0)
    done_files = models.BigIntegerField(default=0)
    warnings = models.JSONField(default=list)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]


class RestorePoint(models.Model):
    """A point in time that can be restored; its uuid is its file's name for life."""

    class Kind(models.TextChoices):
        FULL = "full", "Full"
        INCREMENT = "increment", "Increment"

    id = models.UUIDField(primary_key=True, editable=False)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="restore_points")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    base = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="increments")
    session = models.ForeignKey(JobSession, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    size = models.BigIntegerField()
    source_bytes = models.BigIntegerField(default=0)
    entries = models.BigIntegerField(default=0)
    storage_key = models.UUIDField(null=True)
    password_version = models.ForeignKey(
        PasswordVersion, on_delete=models.PROTECT, null=True, related_name="restore_points"
    )
    verified_at = models.DateTimeField(null=True, blank=True)
    dropped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["job", "dropped_at", "created_at"])]


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
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)


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

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rekey", "job"], name="one_step_a_job")]


class Drift(models.Model):
    """A difference between what was approved and what was found."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="drifts")
    what = models.CharField(max_length=40)
    found = models.JSONField(default=dict)
    found_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)
    explained_by = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "what"], condition=Q(closed_at=None), name="one_open_drift"),
        ]


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
