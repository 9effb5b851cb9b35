"""What happened, for ever; and the work that is still to do."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, models, transaction
from django.db.models import F, Q
from django.utils import timezone

from audit import merkle, statement
from audit.statement import Draft

# The head of the log: whoever holds this advisory lock appends; it is released with the transaction.
HEAD = 0x7665_6561_6D73_6563


class EntryManager(models.Manager["Entry"]):
    """Appends; nothing else is ever done to an entry."""

    def append(self, drafts: Sequence[Draft]) -> list["Entry"]:
        """Write drafts as the next entries, in the caller's transaction, and hold the head until its end."""
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError(
                "an entry belongs to the transaction of what it tells"
            )
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [HEAD])
            # After the lock, so that the statement sees what the last holder committed.
            cursor.execute("SELECT coalesce(max(sequence) + 1, 0) FROM audit_entry")
            [first] = cursor.fetchone()
        now = timezone.now().replace(microsecond=0)
        entries, names = [], []
        for sequence, draft in enumerate(drafts, start=first):
            salted = {key: (name, statement.salt()) for key, name in draft.names.items()}
            entries.append(_entry(draft, sequence, now, salted))
            names += [
                EntryName(entry_id=sequence, key=key, name=name, salt=salt)
                for key, (name, salt) in salted.items()
            ]
        self.bulk_create(entries)
        EntryName.objects.bulk_create(names)
        return entries


def _entry(draft: Draft, sequence: int, time: datetime, salted: dict[str, tuple[str, bytes]]) -> "Entry":
    commitments = {key: statement.commitment(salt, name) for key, (name, salt) in salted.items()}
    canonical = statement.canonical(draft, sequence=sequence, time=time, commitments=commitments)
    return Entry(
        sequence=sequence,
        time=time,
        event=draft.event,
        actor=draft.actor,
        person=draft.person,
        subject_type=draft.subject_type,
        subject_id=draft.subject_id,
        facts=draft.facts,
        canonical=canonical,
        leaf_hash=merkle.leaf_hash(canonical),
    )


class Entry(models.Model):
    """One event; its sequence, from 0 and without a gap, is its place among the leaves of the tree."""

    sequence = models.BigIntegerField(primary_key=True)
    time = models.DateTimeField(db_index=True)
    event = models.CharField(max_length=40)
    # No foreign keys: what happened outlives the rows that it happened to.
    actor = models.UUIDField(null=True, db_index=True)
    person = models.UUIDField(null=True)
    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=128, blank=True)
    facts = models.JSONField(default=dict)
    canonical = models.BinaryField()
    leaf_hash = models.BinaryField(max_length=32)

    objects = EntryManager()

    class Meta:
        verbose_name_plural = "entries"
        ordering = ["-sequence"]
        indexes = [
            models.Index(fields=["event", "-sequence"], name="entry_by_event"),
            models.Index(fields=["subject_id", "-sequence"], name="entry_by_subject"),
        ]
        constraints = [models.CheckConstraint(condition=Q(sequence__gte=0), name="entries_count_from_zero")]

    def __str__(self) -> str:
        return f"{self.sequence}: {self.event}"


class EntryName(models.Model):
    """A name that an entry commits to; erasing it and its salt leaves the entry and its proof whole."""

    # The unique constraint below is the index.
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="names", db_index=False)
    key = models.CharField(max_length=64)
    name = models.TextField(null=True)
    salt = models.BinaryField(max_length=16, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "key"], name="one_name_a_key"),
            models.CheckConstraint(
                condition=Q(name=None, salt=None) | Q(name__isnull=False, salt__isnull=False),
                name="name_and_salt_go_together",
            ),
        ]

    def __str__(self) -> str:
        return self.name if self.name is not None else "erased"


class Checkpoint(models.Model):
    """The log's head at one size, signed by the worker."""

    size = models.BigIntegerField(primary_key=True)
    root = models.CharField(max_length=64)
    note = models.TextField()
    # The perfect subtrees as hex, so that the next checkpoint hashes only what is new.
    frontier = models.JSONField()
    time = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-size"]
        constraints = [models.CheckConstraint(condition=Q(size__gte=1), name="checkpoint_of_something")]

    def __str__(self) -> str:
        return f"{self.size} entries"


class Outbox(models.Model):
    """Work that a committed change asks for; the truth behind the broker's bell."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=60)
    ref = models.UUIDField()
    due = models.DateTimeField()
    # When the sweep rings next: once the due time, a lease or the patience with the broker is over.
    ring_at = models.DateTimeField()
    rings = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "outbox"
        ordering = ["created_at"]
        indexes = [
            models.Index(fields=["ring_at"], condition=Q(done_at=None), name="outbox_to_ring"),
            models.Index(fields=["name", "ref"], name="outbox_by_ref"),
            models.Index(fields=["done_at"], name="outbox_done"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(failures__lte=F("attempts")), name="failures_were_attempts"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.ref}"


class Alarm(models.Model):
    """Something that a person has to look at; at most one of a kind and subject that is not resolved."""

    class Severity(models.TextChoices):
        INFO = "info", "Information"
        WARNING = "warning", "Warning"
        CRITICAL = "critical", "Critical"

    class State(models.TextChoices):
        RAISED = "raised", "Raised"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        RESOLVED = "resolved", "Resolved"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    subject_type = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=128, blank=True)
    text = models.TextField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.RAISED)
    raised_at = models.DateTimeField(default=timezone.now)
    acknowledged_by = models.UUIDField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    # What who acknowledged it wrote; the log commits to it, and it can be erased there and here.
    note = models.TextField(blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-raised_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_type", "subject_id"],
                condition=~Q(state="resolved"),
                name="one_open_alarm",
            ),
        ]

    def __str__(self) -> str:
        return self.text


class Forwarder(models.Model):
    """Where entries are sent on: the place, the form, and the last entry that counts as received there."""

    class Way(models.TextChoices):
        UDP = "udp", "Syslog over UDP (best effort)"
        TCP = "tcp", "Syslog over TCP, in clear"
        TLS = "tls", "Syslog over TLS"
        WEBHOOK = "webhook", "Webhook, signed JSON over HTTPS"
        APPRISE = "apprise", "Chat or push service (apprise)"

    class Form(models.TextChoices):
        SYSLOG = "syslog", "RFC 5424"
        CEF = "cef", "CEF in RFC 5424"
        JSON = "json", "JSON"
        TEXT = "text", "Plain text"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, unique=True)
    way = models.CharField(max_length=10, choices=Way.choices, default=Way.TLS)
    form = models.CharField(max_length=10, choices=Form.choices, default=Form.SYSLOG)
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField()
    path = models.CharField(max_length=500, blank=True)
    # How the receiver is known, beside the authorities of this machine; and who we are to it.
    authority = models.TextField(blank=True)
    certificate = models.TextField(blank=True)
    # The webhook's key, the certificate's or the chat's address: as it arrived, sealed to the worker, and as
    # the worker keeps it.
    offered_secret = models.BinaryField(null=True, editable=False)
    sealed_secret = models.BinaryField(null=True, editable=False)
    only_alarms = models.BooleanField("alarms only", default=False)
    with_names = models.BooleanField("send names", default=False)
    active = models.BooleanField(default=True)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    # What only the worker writes. -1: nothing yet.
    position = models.BigIntegerField(default=-1, editable=False)
    confirmed_at = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    last_error = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(way="webhook", form="json") | (~Q(way="webhook") & ~Q(form="json")),
                name="a_webhook_speaks_json",
                violation_error_message="A webhook speaks JSON, and JSON goes by a webhook alone.",
            ),
            models.CheckConstraint(
                condition=Q(way="apprise", form="text", only_alarms=True)
                | (~Q(way="apprise") & ~Q(form="text")),
                name="a_chat_is_told_of_alarms",
                violation_error_message="A chat takes plain text, of alarms only; no other way does.",
            ),
            models.CheckConstraint(condition=Q(port__gte=1, port__lte=65535), name="forwarder_port"),
            models.CheckConstraint(condition=Q(position__gte=-1), name="forwarder_position"),
        ]

    def __str__(self) -> str:
        return self.name
