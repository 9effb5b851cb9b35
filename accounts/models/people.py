"""Persons, their accounts and roles."""

import uuid
from datetime import datetime
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.rules import Standing


class Person(models.Model):
    """One human, or who stands behind a service; several accounts of one person are one pair of eyes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150)
    email = models.EmailField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What an account is for; Security is not here: it is a membership."""

    OPERATOR = "operator", "Backup operator"
    ADMINISTRATOR = "administrator", "Backup administrator"
    ENTERPRISE = "enterprise", "Enterprise administrator"
    AUDITOR = "auditor", "Auditor"
    SERVICE = "service", "Service account"


class User(AbstractUser):
    """An account. A person may have several; a service account is not human and names its owner as person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="users")
    is_human = models.BooleanField(default=True)
    totp_last_step = models.BigIntegerField(default=-1, editable=False)
    # Null for what the command line made. Whoever made an account may have opened its first link (P1).
    created_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )

    REQUIRED_FIELDS: ClassVar[list[str]] = []

    person_id: uuid.UUID

    class Meta:
        ordering = ["username"]

    def __str__(self) -> str:
        return self.username

    def facts(self, now: datetime | None = None) -> Standing:
        """Read the account's standing afresh: its live grants and its live seat."""
        # Seats know accounts, not the other way round.
        from accounts.models.security import SecurityMember, Suspension

        now = now or timezone.now()
        unconfirmed = Suspension.unconfirmed(now).filter(suspender=OuterRef("pk"))
        seats = SecurityMember.objects.filter(user_id=self.pk, until=None)
        seat = seats.annotate(ties_hands=Exists(unconfirmed)).first()
        return Standing(
            user=self.pk,
            person=self.person_id,
            is_human=self.is_human,
            active=self.is_active,
            roles=frozenset(RoleGrant.live(now).filter(user_id=self.pk).values_list("role", flat=True)),
            security_title=seat.title if seat else None,
            security_since=seat.since if seat else None,
            suspended=bool(seat and seat.is_suspended(now)),
            may_only_reject=bool(seat and seat.ties_hands),
            superuser=self.is_superuser,
        )

    def has_role(self, role: Role) -> bool:
        """Say whether an active account holds a live grant; a superuser has no role by that."""
        return self.is_active and RoleGrant.live().filter(user_id=self.pk, role=role).exists()

    @property
    def is_security(self) -> bool:
        """Say whether an active account holds a live seat that is not suspended."""
        return self.facts().is_security


class RoleGrant(models.Model):
    """One role of one account, from a day until a day; history stays."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="role_grants")
    role = models.CharField(max_length=20, choices=Role.choices)
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["since"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role"], condition=Q(until=None), name="one_grant_of_a_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {Role(self.role).label}"

    @classmethod
    def live(cls, now: datetime | None = None) -> "models.QuerySet[RoleGrant]":
        """Return the grants in force at a moment."""
        now = now or timezone.now()
        return cls.objects.filter(Q(until=None) | Q(until__gt=now), since__lte=now)
