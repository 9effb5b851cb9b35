"""Reports as files that the worker makes, and who is sent which how often."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User


class ReportSchedule(models.Model):
    """A report of each week, month or quarter, told by mail to accounts that may read it."""

    class Every(models.TextChoices):
        WEEK = "week", "Every week"
        MONTH = "month", "Every month"
        QUARTER = "quarter", "Every quarter"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=30)
    every = models.CharField(max_length=10, choices=Every.choices)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recipients = models.ManyToManyField(User, related_name="+")
    next_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    by_id: uuid.UUID

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"{self.name}, {self.Every(self.every).label.lower()}"


class Report(models.Model):
    """A report as a file: asked for, made by the worker, and erased when its time is over."""

    class Form(models.TextChoices):
        PDF = "pdf", "PDF/A"
        PACK = "zip", "Evidence pack"

    class State(models.TextChoices):
        WAITING = "waiting", "Being made"
        MADE = "made", "Made"
        FAILED = "failed", "Not made"
        ERASED = "erased", "Erased"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=30)
    form = models.CharField(max_length=5, choices=Form.choices, default=Form.PDF)
    # What is wanted of it, as texts: a period, a job, a day.
    asked = models.JSONField(default=dict)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    schedule = models.ForeignKey(ReportSchedule, on_delete=models.PROTECT, null=True, related_name="reports")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    content = models.BinaryField(null=True)
    # Why it was not made, in plain words.
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    made_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    by_id: uuid.UUID
    schedule_id: uuid.UUID | None

    class Meta:
        ordering = ["-created_at"]
        # Reports hold names of people and what is open: roles are mapped to it in accounts.
        indexes = [models.Index(fields=["expires_at"], condition=Q(state="made"), name="reports_to_erase")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="made", content__isnull=False, made_at__isnull=False)
                | (~Q(state="made") & Q(content=None)),
                name="a_made_report_has_its_content",
            ),
        ]

    @property
    def filename(self) -> str:
        """How it is called when it is saved."""
        return f"veeamsec-{self.name}-{self.created_at:%Y-%m-%d}.{self.form}"
