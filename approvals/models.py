"""Who decides: policies, requests, their targets and votes."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Person, Title, User
from encryption.models import Rekey, Repository


class Policy(models.Model):
    """The rules of one scope (null: everywhere); a change is a new row, the newest of a scope is in force."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scope = models.ForeignKey(
        Repository, on_delete=models.PROTECT, null=True, blank=True, related_name="policies"
    )
    number = models.PositiveIntegerField()
    quorum = models.PositiveSmallIntegerField(default=1)
    pools = models.JSONField(default=list)
    advising_titles = models.JSONField(default=list)
    administrators_may_approve = models.BooleanField(default=True)
    decide_days = models.PositiveSmallIntegerField(default=7)
    execute_hours = models.PositiveSmallIntegerField(default=24)
    mfa_required = models.BooleanField(default=True)
    fulls_a_night = models.PositiveSmallIntegerField(default=10)
    # In Veeam's console a job then points to the request that its encryption comes from.
    number_in_description = models.BooleanField(default=False)
    # A custodian who did not ask types the new password from their copy, before anything is begun.
    custody_proof = models.BooleanField(default=False)
    procedure_version = models.PositiveIntegerField(default=1)
    procedure_text = models.TextField()
    procedure_questions = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "number"], nulls_distinct=False, name="one_policy_a_number"
            ),
            models.CheckConstraint(condition=Q(quorum__gte=1), name="quorum_is_at_least_one"),
            models.CheckConstraint(condition=Q(decide_days__range=(1, 30)), name="decide_within_a_month"),
        ]


class Kind(models.TextChoices):
    """What can be asked for."""

    ACTIVATE = "activate_encryption", "Activate encryption"
    CHANGE = "change_password", "Change a password"
    DEACTIVATE = "deactivate_encryption", "Deactivate encryption"
    DELETE = "delete_password", "Delete a password"
    ADD_MEMBER = "add_security_member", "Seat a member of Security"
    REMOVE_MEMBER = "remove_security_member", "End a seat of Security"
    REPLACE_MEMBER = "replace_security_member", "Replace a member of Security"
    GRANT = "grant_administrator", "Grant an administrator's office"
    REVOKE = "revoke_administrator", "Revoke an administrator's office"
    RESET = "reset_credentials", "Reset somebody's credentials"
    CHANGE_POLICY = "change_policy", "Change the policy"
    EXPLAIN = "explain_drift", "Explain what was found"
    REVERT = "revert_drift", "Put back what was found changed"
    ACTIVATE_KEYSET = "activate_keyset", "Activate a keyset"
    IMPORT_KEYSET = "import_keyset", "Import a keyset"
    EXPORT_KEYSET = "export_keyset", "Export a keyset"
    DELETE_KEYSET = "delete_keyset", "Delete a keyset"
    REGISTER_SERVER = "register_server", "Register a backup server"
    RECOVER_KEY = "recover_key", "Answer a recovery request"
    RELEASE = "release_password", "Release a password to a custodian"
    TAKE_KEYSET = "take_keyset", "Take another installation's keyset"
    SUPPRESS = "suppress_finding", "Suppress a finding until a day"


class State(models.TextChoices):
    """The life of a request; only the first two are open."""

    PENDING = "pending", "Waiting for a decision"
    APPROVED = "approved", "Approved"
    EXECUTED = "executed", "Executed"
    FAILED = "failed", "Failed, nothing changed"
    LAPSED = "lapsed", "Lapsed"
    STALE = "stale", "Stale"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"


class ApprovalRequest(models.Model):
    """One question with its canonical statement: what the approver sees is what runs (P5)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveBigIntegerField(unique=True, editable=False)
    kind = models.CharField(max_length=30, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    asker = models.ForeignKey(User, on_delete=models.PROTECT, related_name="requests")
    asker_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    statement = models.BinaryField()
    digest = models.CharField(max_length=64)
    policy = models.JSONField()
    sealed_secret = models.BinaryField(null=True)
    decide_by = models.DateTimeField()
    execute_by = models.DateTimeField(null=True, blank=True)
    # What the worker found when it counted the votes, signed; null until it acted.
    execution = models.JSONField(null=True, editable=False)
    rekey = models.ForeignKey(Rekey, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # Why it ended as it did, in plain words.
    outcome = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-number"]
        indexes = [
            # What waits is asked for on every page.
            models.Index(
                fields=["decide_by", "number"], condition=Q(state="pending"), name="pending_requests"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "approved"]) | Q(sealed_secret=None),
                name="an_ended_request_keeps_no_secret",
            ),
        ]

    asker_person_id: uuid.UUID
    rekey_id: uuid.UUID | None

    def __str__(self) -> str:
        return f"R-{self.number}"


class RequestTarget(models.Model):
    """What a request touches; one open request a target (P7)."""

    class Type(models.TextChoices):
        JOB = "job", "Job"
        PASSWORD = "password", "Password"
        USER = "user", "Account"
        MEMBER = "member", "Seat of Security"
        POLICY = "policy", "Policy"
        DRIFT = "drift", "Drift"
        FINDING = "finding", "Check of the analyzer"

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="targets")
    type = models.CharField(max_length=10, choices=Type.choices)
    ref = models.UUIDField()
    open = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["type", "ref"], condition=Q(open=True), name="one_open_request_a_target"
            ),
        ]


class Capacity(models.TextChoices):
    """In what role somebody votes."""

    SECURITY = "security", "Security"
    ADMINISTRATOR = "administrator", "Backup administrator"


class Verdict(models.TextChoices):
    """Yes or no."""

    APPROVE = "approve", "Approve"
    REJECT = "reject", "Reject"


class Votes(models.QuerySet["Vote"]):
    """Decisions."""

    def of_security(self) -> "Votes":
        """Return the approvals that members of Security gave; who only advises gives none that counts."""
        advice = Q()
        for title in Title.values:
            advice |= Q(title=title, request__policy__advising_titles__contains=[title])
        return self.filter(capacity=Capacity.SECURITY, verdict=Verdict.APPROVE).exclude(advice)


class Vote(models.Model):
    """One person's decision on one request; insert only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="votes")
    voter = models.ForeignKey(User, on_delete=models.PROTECT, related_name="votes")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="votes")
    asker_person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    capacity = models.CharField(max_length=15, choices=Capacity.choices)
    # The office at the time, for the record; what counts is read from the live seat.
    title = models.CharField(max_length=10, blank=True)
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    comment = models.TextField(blank=True)
    digest = models.CharField(max_length=64)
    proof = models.JSONField()
    cast_at = models.DateTimeField(default=timezone.now, editable=False)

    voter_id: uuid.UUID
    person_id: uuid.UUID
    request_id: uuid.UUID

    objects = Votes.as_manager()

    class Meta:
        ordering = ["cast_at"]
        constraints = [
            models.UniqueConstraint(fields=["request", "person"], name="one_vote_a_person"),
            models.CheckConstraint(condition=~Q(person=F("asker_person")), name="nobody_votes_on_their_own"),
        ]

    @property
    def is_of_security(self) -> bool:
        """Whether it is such an approval (`of_security`)."""
        gave = self.capacity == Capacity.SECURITY and self.verdict == Verdict.APPROVE
        return gave and self.title not in self.request.policy["advising_titles"]


class Suppression(models.Model):
    """What Security accepts of one check until a day, as far as it was seen; insert only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.OneToOneField(ApprovalRequest, on_delete=models.PROTECT, related_name="suppression")
    # The analyzer stands above: its row is known here by name alone.
    finding = models.ForeignKey("compliance.Finding", on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=60)
    found = models.CharField(max_length=20)
    # So many things fell short when it was asked: one more, and the finding shows again.
    short = models.PositiveIntegerField()
    note = models.TextField()
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()

    class Meta:
        ordering = ["-since"]
        indexes = [models.Index(fields=["until"], name="suppressions_in_force")]
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=F("since")), name="suppression_ends_later"),
        ]

    def __str__(self) -> str:
        return f"{self.code} until {self.until:%Y-%m-%d}"


class EarlyProof(models.Model):
    """A custodian typed the new password of a request before its execution; what the worker found."""

    class Found(models.TextChoices):
        WAITING = "waiting", "Being compared"
        EQUAL = "equal", "It is the right one"
        WRONG = "wrong", "It is not the right one"
        LATE = "late", "The request had ended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="early_proofs")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    # Sealed to the intake key as it was typed; erased when it is judged.
    sealed = models.BinaryField(null=True)
    found = models.CharField(max_length=10, choices=Found.choices, default=Found.WAITING)
    offered_at = models.DateTimeField(default=timezone.now)
    judged_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-offered_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(found="waiting", judged_at=None) | Q(judged_at__isnull=False, sealed=None),
                name="judged_early_proof_is_erased",
            ),
        ]
