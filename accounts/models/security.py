"""The Security Role: its seats, their suspensions, its signed roster."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.people import Person, User


class SecurityRole(models.Model):
    """The one row whose lock guards the two-seat rule (P3)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    sealed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_security_role")]


class Title(models.TextChoices):
    """The office behind a seat."""

    DPO = "dpo", "DPO"
    CISO = "ciso", "CISO"
    OTHER = "other", "Security"


class SecurityMember(models.Model):
    """One seat of the Security Role."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="security_seats")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="security_seats")
    title = models.CharField(max_length=10, choices=Title.choices)
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True, blank=True)
    # Both follow the suspensions by trigger; who is suspended without an end is so until it is lifted.
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=Q(until=None), name="one_seat_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.person} · Security · {Title(self.title).label}"

    @classmethod
    def suspended_now(cls, now: datetime | None = None) -> Q:
        """Return the condition of a seat that is suspended at a moment."""
        until = Q(suspended_until=None) | Q(suspended_until__gt=now or timezone.now())
        return Q(suspended_at__isnull=False) & until

    def is_suspended(self, now: datetime | None = None) -> bool:
        """Say whether the seat is suspended at a moment; time alone ends an unconfirmed suspension."""
        if self.suspended_at is None:
            return False
        return self.suspended_until is None or self.suspended_until > (now or timezone.now())


class Suspension(models.Model):
    """One member stops another at once; it ends by itself unless a third confirms it (P3)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    member = models.ForeignKey(SecurityMember, on_delete=models.PROTECT, related_name="suspensions")
    suspender = models.ForeignKey(SecurityMember, on_delete=models.PROTECT, related_name="suspensions_made")
    reason = models.TextField()
    proof = models.JSONField()
    began_at = models.DateTimeField(default=timezone.now)
    # Null once it is confirmed.
    ends_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    member_id: uuid.UUID
    suspender_id: uuid.UUID

    class Meta:
        ordering = ["-began_at"]

    @classmethod
    def open(cls, now: datetime | None = None) -> "models.QuerySet[Suspension]":
        """Return the suspensions in force at a moment."""
        now = now or timezone.now()
        return cls.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), ended_at=None)

    @classmethod
    def unconfirmed(cls, now: datetime | None = None) -> "models.QuerySet[Suspension]":
        """Return those that no third member has confirmed yet, of seats that are still held."""
        return cls.open(now).filter(ends_at__isnull=False, member__until=None)


class SuspensionVoice(models.Model):
    """What another member says to a suspension; insert only."""

    class Says(models.TextChoices):
        CONFIRM = "confirm", "Confirms"
        LIFT = "lift", "Lifts"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    suspension = models.ForeignKey(Suspension, on_delete=models.PROTECT, related_name="voices")
    seat = models.ForeignKey(SecurityMember, on_delete=models.PROTECT, related_name="+")
    says = models.CharField(max_length=10, choices=Says.choices)
    proof = models.JSONField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["suspension", "seat", "says"], name="one_voice_a_seat"),
        ]


class Roster(models.Model):
    """Persons, Security, administrators and their credentials, signed by the worker; insert only."""

    number = models.PositiveIntegerField(primary_key=True)
    body = models.BinaryField()
    envelope = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)


class CredentialEnrolment(models.Model):
    """A passkey of the roster has signed a further one of the same account.

    The worker verifies it and signs the next roster, or says why not; the web process writes a row once.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for the worker"
        ENTERED = "entered", "Entered the roster"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="credential_enrolments")
    credential = models.CharField(max_length=1400)
    public_key = models.CharField(max_length=6000)
    # The answer of the passkey that stands in the roster, as WebAuthn Level 3 JSON.
    proof = models.JSONField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    # Why it was refused, in plain words.
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    user_id: uuid.UUID

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="refused") | Q(reason=""), name="only_a_refusal_has_a_reason"
            ),
        ]
