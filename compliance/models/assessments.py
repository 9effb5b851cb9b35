"""What the analyzer found, and when; history stays."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from compliance.checks import CHECKS, Check, Severity, Status


class Assessment(models.Model):
    """One run of all checks; asked for, and done once."""

    class Cause(models.TextChoices):
        ASKED = "asked", "Asked for"
        DAILY = "daily", "Daily"
        CHANGE = "change", "After a change"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cause = models.CharField(max_length=10, choices=Cause.choices)
    asked_by = models.UUIDField(null=True)
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    done_at = models.DateTimeField(null=True)
    # How many entries the log had: what came later calls for another run.
    log_size = models.BigIntegerField(default=0)
    # How many checks found what, {status: count}, suppressions as they stood.
    counts = models.JSONField(default=dict)

    class Meta:
        ordering = ["-asked_at"]
        indexes = [models.Index(fields=["done_at"], name="assessments_done")]

    def __str__(self) -> str:
        return f"{self.asked_at:%Y-%m-%d %H:%M}"


class Finding(models.Model):
    """What one check found in one run; insert only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="findings")
    code = models.CharField(max_length=60)
    # As the check was called then.
    title = models.CharField(max_length=120, default="")
    # What was found, whether or not it is suppressed.
    found = models.CharField(max_length=20, choices=[(one.value, one.value) for one in Status])
    severity = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Severity])
    summary = models.TextField()
    good = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    # [{"text", "about", "ref"}]
    evidence = models.JSONField(default=list)
    # The suppression in force at that time, and its end.
    suppression = models.UUIDField(null=True)
    suppressed_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["code"]
        indexes = [models.Index(fields=["code", "assessment"], name="findings_of_a_check")]
        constraints = [
            models.UniqueConstraint(fields=["assessment", "code"], name="one_finding_a_check"),
            models.CheckConstraint(condition=Q(good__lte=models.F("total")), name="good_of_total"),
            models.CheckConstraint(
                condition=Q(suppression=None, suppressed_until=None)
                | Q(suppression__isnull=False, suppressed_until__isnull=False),
                name="suppression_has_an_end",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def check_declared(self) -> Check | None:
        """Return the check, unless a newer version of VeeamSec has it no more."""
        return CHECKS.get(self.code)

    def status(self, now: datetime | None = None) -> Status:
        """Return the answer at a moment: a suppression that is over hides nothing."""
        if self.suppressed_until is not None and self.suppressed_until > (now or timezone.now()):
            return Status.SUPPRESSED
        return Status(self.found)
