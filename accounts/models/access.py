"""Ways in: one-time links, tokens, known devices, and what people are told of them."""

import uuid
from typing import ClassVar

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.utils import timezone
from knox.models import AbstractAuthToken

from accounts.models.people import Person, User
from accounts.models.security import Title


class EnrolmentLink(models.Model):
    """A one-time link of bootstrap; only the hash of its token is kept."""

    class For(models.TextChoices):
        FOUNDER = "founder", "Security"
        ADMINISTRATOR = "administrator", "Backup administrator"
        USER = "user", "Account"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_hash = models.BinaryField(max_length=32, unique=True)
    seat = models.CharField(max_length=20, choices=For.choices)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="enrolment_links")
    title = models.CharField(max_length=10, choices=Title.choices, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    # Who saw it; null for the command line, and for the worker, which mails it and shows it to nobody.
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")


class ApiToken(AbstractAuthToken):
    """A bearer token; its account's owner is who asks."""

    name = models.CharField(max_length=80, default="")
    scopes = models.JSONField(default=list)
    # By this a token is named; its digest and its first signs are nobody's business.
    reference = models.UUIDField(db_default=RandomUUID(), db_index=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True)


class IdempotencyKey(models.Model):
    """The answer to a POST that a client may repeat."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    route = models.CharField(max_length=200)
    body_mac = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key", "route"], name="one_answer_a_key")]


class KnownDevice(models.Model):
    """A browser and network from which an account has signed in; only their HMAC is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="known_devices")
    mark = models.BinaryField(max_length=32)
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "mark"], name="one_mark_a_device")]


class Notice(models.Model):
    """What a person is told by mail about their own account or the Security Role."""

    class What(models.TextChoices):
        NEW_DEVICE = "new_device", "Somebody signed in to your account from a new device"
        FACTOR_CHANGED = "factor_changed", "A second factor of your account was changed"
        PASSWORD_CHANGED = "password_changed", "The password of your account was changed"
        CREDENTIALS_RESET = "credentials_reset", "The credentials of your account were reset"
        PASSKEY_IN_ROSTER = "passkey_in_roster", "A passkey of yours entered the signed roster"
        PASSKEY_LEFT_ROSTER = "passkey_left_roster", "A passkey of yours left the signed roster"
        PASSKEY_REFUSED = "passkey_refused", "A passkey of yours did not enter the signed roster"
        MEMBER_SUSPENDED = "member_suspended", "A member of Security was suspended"
        SUSPENSION_CONFIRMED = "suspension_confirmed", "A suspension in Security was confirmed"
        SUSPENSION_LIFTED = "suspension_lifted", "A suspension in Security was lifted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    what = models.CharField(max_length=30, choices=What.choices)
    # Words of ours about it, such as which factor; never a name or an address.
    detail = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["-at"]
