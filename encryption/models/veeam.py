"""What is known of a Veeam Backup & Replication server beside the rows that it shares with every engine.

A server is a Repository whose engine is Veeam; its jobs, passwords and restore points are Job,
EncryptionPassword and RestorePoint. Here stands what Veeam alone has: its ids, its own words, and what
happened there.
"""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from encryption.models.jobs import Job, Repository
from encryption.models.passwords import EncryptionPassword
from encryption.models.rekeys import Drift


class VeeamServer(models.Model):
    """A Veeam server: where it is, how it is known again, and how far it was read."""

    class Mode(models.TextChoices):
        WATCHING = "watching", "Watching"
        ENFORCED = "enforced", "Enforced"
        OFF = "off", "Disconnected"

    repository = models.OneToOneField(
        Repository, on_delete=models.PROTECT, primary_key=True, related_name="veeam"
    )
    address = models.CharField(max_length=253)
    port = models.PositiveIntegerField(default=9419)
    # SHA-256 of the certificate, lower-case hex; or an authority's certificate in its place.
    thumbprint = models.CharField(max_length=64, blank=True)
    authority = models.TextField(blank=True)
    account = models.CharField(max_length=255)
    # As it arrived from a page, for the intake key; the worker seals it anew and empties this.
    offered_secret = models.BinaryField(null=True, editable=False)
    sealed_secret = models.BinaryField(null=True, editable=False)
    vbr_id = models.UUIDField(null=True, unique=True, editable=False)
    vbr_name = models.CharField(max_length=255, blank=True, editable=False)
    build = models.CharField(max_length=40, blank=True, editable=False)
    revision = models.CharField(max_length=20, blank=True, editable=False)
    tls_version = models.CharField(max_length=20, blank=True, editable=False)
    # The name that its syslog lines carry.
    syslog_name = models.CharField(max_length=255, blank=True)
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.WATCHING)
    # {"checked_at", "others": [..], "unchecked": why} as the worker found the users there.
    enforcement = models.JSONField(default=dict, editable=False)
    emergency_account = models.CharField(max_length=255, blank=True)
    # {"enabled", "encrypted", "password"} of the configuration backup.
    configuration_backup = models.JSONField(default=dict, editable=False)
    # Veeam's own analyzer and forwarding, as read last.
    analyzer = models.JSONField(default=dict, editable=False)
    forwarding = models.JSONField(default=dict, editable=False)
    # The newest requests of its own four eyes, read only: {"checked_at", "events": [..], "unchecked": why}
    four_eyes = models.JSONField(default=dict, editable=False)
    # {"phase", "done", "total", "began"} while an import runs.
    progress = models.JSONField(default=dict, editable=False)
    imported_at = models.DateTimeField(null=True, editable=False)
    # All restore points made before this are known.
    points_until = models.DateTimeField(null=True, editable=False)
    # When every restore point was last listed, which alone shows what retired.
    listed_at = models.DateTimeField(null=True, editable=False)
    compared_at = models.DateTimeField(null=True, editable=False)
    error = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(mode__in=["watching", "enforced", "off"]), name="known_veeam_mode"
            ),
            models.CheckConstraint(
                condition=~Q(thumbprint="") | ~Q(authority=""), name="veeam_server_is_known_again"
            ),
        ]

    def __str__(self) -> str:
        return self.vbr_name or self.address


class VeeamLook(models.Model):
    """A wish to see the certificate of a Veeam server before anything is sent to it, and what was seen."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    address = models.CharField(max_length=253)
    port = models.PositiveIntegerField()
    asked_by = models.UUIDField()
    asked_at = models.DateTimeField(default=timezone.now)
    # {"thumbprint", "thumbprint_sha1", "subject", "not_after", "tls_version"}
    seen = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


class VeeamRepository(models.Model):
    """A backup repository or scale-out repository of a Veeam server, with what its tiers encrypt."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    server = models.ForeignKey(VeeamServer, on_delete=models.PROTECT, related_name="repositories")
    external = models.UUIDField()
    name = models.CharField(max_length=255)
    type = models.CharField(max_length=60, blank=True)
    free_bytes = models.BigIntegerField(null=True)
    capacity_bytes = models.BigIntegerField(null=True)
    immutable = models.BooleanField(null=True)
    # [{"tier": "capacity"|"archive", "copies", "enabled", "encrypted", "password", "kms"}]
    tiers = models.JSONField(default=list)
    seen_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["server", "external"], name="one_veeam_repository_an_id")
        ]

    def __str__(self) -> str:
        return self.name


class VeeamJob(models.Model):
    """What Veeam says of a job: its id and type there, and every place where it states encryption."""

    # The type of a backup whose job was gone before the first reading: nobody can tell what encrypted it.
    ORPHANED = "orphaned"

    job = models.OneToOneField(Job, on_delete=models.PROTECT, primary_key=True, related_name="veeam")
    server = models.ForeignKey(VeeamServer, on_delete=models.PROTECT, related_name="jobs")
    external = models.UUIDField()
    type = models.CharField(max_length=60)
    description = models.TextField(blank=True)
    is_disabled = models.BooleanField(default=False)
    target = models.ForeignKey(
        VeeamRepository, on_delete=models.PROTECT, null=True, related_name="jobs", db_constraint=False
    )
    # [{"path", "enabled", "kind": "password"|"kms"|"", "password", "kms"}], the first one speaks for the job.
    blocks = models.JSONField(default=list)
    # Who copies whom: a copy of an encrypted job that writes in clear is a gap.
    copies = models.JSONField(default=list)
    # The ids there of its backups: one that lost its job is still known by them.
    backups = models.JSONField(default=list)
    # [{"from": time or null, "password": uuid of ours or null}]: what each restore point is bound by.
    terms = models.JSONField(default=list)
    # As the last poll read it, {"blocks"}; empty until a poll did. Polling alone writes it.
    polled = models.JSONField(default=dict)
    # How many live restore points need which version, {uuid, or "" for none: count}; counted at each import.
    tally = models.JSONField(default=dict)
    # What a new full would read, by the newest restore point of each object.
    full_bytes = models.BigIntegerField(null=True)
    seen_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["server", "external"], name="one_veeam_job_an_id")]

    def __str__(self) -> str:
        return self.job.name

    @property
    def is_orphaned(self) -> bool:
        """Whether this is a backup whose job nobody knew."""
        return self.type == self.ORPHANED


class VeeamPassword(models.Model):
    """What Veeam says of an encryption password, or of a key management server that stands for one."""

    password = models.OneToOneField(
        EncryptionPassword, on_delete=models.PROTECT, primary_key=True, related_name="veeam"
    )
    server = models.ForeignKey(VeeamServer, on_delete=models.PROTECT, related_name="passwords")
    external = models.UUIDField()
    unique_id = models.CharField(max_length=255, blank=True)
    modified_at = models.DateTimeField(null=True)
    is_kms = models.BooleanField(default=False)
    is_imported = models.BooleanField(default=False)
    # As the last poll read it, {"hint", "modified_at"}; empty until a poll did. Polling alone writes it.
    polled = models.JSONField(default=dict)
    seen_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["server", "external"], name="one_veeam_password_an_id")
        ]


class VeeamDifference(models.Model):
    """A change that polling found: what was known before, and what is there now; insert only."""

    class What(models.TextChoices):
        PASSWORD_ADDED = "password.added", "Password added"
        PASSWORD_CHANGED = "password.changed", "Password changed"
        PASSWORD_HINT = "password.hint", "Hint changed"
        PASSWORD_DELETED = "password.deleted", "Password deleted"
        JOB_ENCRYPTION = "job.encryption", "Encryption of a job changed"
        KMS_ADDED = "kms.added", "KMS server added"
        KMS_CHANGED = "kms.changed", "KMS server changed"
        KMS_DELETED = "kms.deleted", "KMS server deleted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    server = models.ForeignKey(VeeamServer, on_delete=models.PROTECT, related_name="differences")
    what = models.CharField(max_length=40, choices=What.choices)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, related_name="+")
    password = models.ForeignKey(EncryptionPassword, on_delete=models.PROTECT, null=True, related_name="+")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    # It happened after the former reading and before this one; Veeam's own time where it tells one.
    after_time = models.DateTimeField(null=True)
    happened_at = models.DateTimeField(null=True)
    found_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-found_at"]
        indexes = [models.Index(fields=["server", "found_at"])]


class VeeamEvent(models.Model):
    """An event that a Veeam server sent by syslog; insert only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    server = models.ForeignKey(VeeamServer, on_delete=models.PROTECT, null=True, related_name="events")
    number = models.PositiveIntegerField()
    host = models.CharField(max_length=255, blank=True)
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    peer = models.CharField(max_length=60)
    transport = models.CharField(max_length=3)
    # Whom and what it names there: a password's, job's or KMS server's id, and the account.
    subject = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=255, blank=True)
    user_name = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    fields = models.JSONField(default=dict)
    # SHA-256 of the line as received: the same line twice is one event.
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["-happened_at"]
        indexes = [models.Index(fields=["server", "happened_at"]), models.Index(fields=["subject"])]


class VeeamReception(models.Model):
    """A stretch of time in which the receiver of events was listening, so that gaps can be told."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    began_at = models.DateTimeField(default=timezone.now)
    alive_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    ports = models.JSONField(default=dict)
    received = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    dropped = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["-began_at"]


class Reconciled(models.Model):
    """Where one event or one difference belongs: to an executed request, or to who owns the exception."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.OneToOneField(VeeamEvent, on_delete=models.PROTECT, null=True, related_name="reconciled")
    difference = models.OneToOneField(
        VeeamDifference, on_delete=models.PROTECT, null=True, related_name="reconciled"
    )
    request = models.UUIDField(null=True)
    drift = models.ForeignKey(Drift, on_delete=models.PROTECT, null=True, related_name="reconciled")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    note = models.TextField(blank=True)
    why = models.CharField(max_length=200, blank=True)
    settled_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(event=None, difference__isnull=False) | Q(event__isnull=False, difference=None),
                name="reconciles_one_thing",
            ),
        ]
