"""What is backed up and where it goes: repositories, jobs, their sessions and restore points."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from encryption.models.passwords import EncryptionPassword, PasswordVersion


class Engine(models.TextChoices):
    """What writes the backups of a repository."""

    NATIVE = "native", "Native"
    VEEAM = "veeam", "Veeam Backup & Replication"


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
    # As a worker saw it last: the web process does not touch a share that may hang.
    free_bytes = models.BigIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "repositories"
        permissions = [("decide_repository", "Can decide on requests for a repository's jobs")]

    def __str__(self) -> str:
        return self.name


class Job(models.Model):
    """What is backed up, when and how long it is kept."""

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        DISABLED = "disabled", "Disabled"
        DELETED = "deleted", "Deleted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255)
    repository = models.ForeignKey(Repository, on_delete=models.PROTECT, related_name="jobs")
    # Empty where another product knows it.
    source = models.CharField(max_length=1000, blank=True)
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
        constraints = [
            # Veeam's jobs have the names that people gave them there.
            models.UniqueConstraint(fields=["name"], condition=~Q(source=""), name="one_job_a_name"),
            models.CheckConstraint(
                condition=Q(state__in=["active", "disabled", "deleted"]), name="known_job_state"
            ),
            models.CheckConstraint(condition=Q(retention_points__gte=1), name="keep_at_least_one_point"),
            models.CheckConstraint(condition=Q(full_every__gte=1), name="full_every_at_least_one"),
            models.CheckConstraint(
                condition=Q(schedule_minutes=None) | Q(schedule_minutes__gte=1), name="schedule_moves_on"
            ),
            models.CheckConstraint(
                condition=~Q(state="deleted") | Q(password=None), name="deleted_job_has_no_password"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class JobSession(models.Model):
    """One run, restore or verification of a job."""

    class Kind(models.TextChoices):
        BACKUP = "backup", "Backup"
        RESTORE = "restore", "Restore"
        VERIFY = "verify", "Verification"
        COVER = "cover", "Loss protection of existing points"

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
    fence = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)

    OPEN = (State.QUEUED, State.RUNNING)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["job", "created_at"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["backup", "restore", "verify", "cover"]), name="known_session_kind"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"], ended_at=None)
                | Q(state__in=["succeeded", "warning", "failed"], ended_at__isnull=False),
                name="session_ends_with_a_time",
            ),
            models.UniqueConstraint(
                fields=["job"],
                condition=Q(kind="backup", state__in=["queued", "running"]),
                name="one_run_a_job",
            ),
        ]


class RestorePoint(models.Model):
    """A point in time that can be restored; its uuid is its file's name for life."""

    class Kind(models.TextChoices):
        FULL = "full", "Full"
        INCREMENT = "increment", "Increment"
        # Of another product, which does not say.
        POINT = "point", "Restore point"

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
        indexes = [
            models.Index(fields=["job", "dropped_at", "created_at"]),
            # A sign counts a job's live points by version, of hundreds of thousands.
            models.Index(
                fields=["job", "password_version"],
                include=["size"],
                condition=Q(dropped_at=None),
                name="live_points_by_version",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["full", "point"], base=None) | Q(kind="increment", base__isnull=False),
                name="increment_has_a_base",
            ),
            # Where Veeam keeps the storage keys, a version alone says that a point is encrypted.
            models.CheckConstraint(
                condition=Q(storage_key=None, password_version=None)
                | Q(storage_key__isnull=False, password_version__isnull=False)
                | Q(kind="point", storage_key=None),
                name="encrypted_point_names_its_version",
            ),
        ]
