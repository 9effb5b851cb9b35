"""Everything that the promises speak of, read once a step."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import RoleGrant, Roster, SecurityMember, Suspension, SuspensionVoice
from approvals.models import ApprovalRequest, Policy, Vote
from audit.models import Entry
from encryption.badge import Badge, badges
from encryption.models import Attestation, Job, PasswordVersion, Rekey, RekeyJob, RestorePoint
from tests.machine.census import PASSWORDS
from tests.machine.world import World


@dataclass
class Sight:
    """The rows as they are; `forged` names accounts written past the rules, `sanctioned` what was counted."""

    world: World
    forged: set[UUID]
    sanctioned: dict[UUID, int]
    now: datetime = field(default_factory=timezone.now)

    def __post_init__(self) -> None:
        self.requests = {row.pk: row for row in ApprovalRequest.objects.select_related("asker")}
        self.votes = list(Vote.objects.select_related("voter"))
        self.rekeys = {row.pk: row for row in Rekey.objects.all()}
        self.steps = list(RekeyJob.objects.all())
        self.attestations = {row.pk: row for row in Attestation.objects.all()}
        self.versions = list(PasswordVersion.objects.all())
        self.jobs = list(Job.objects.select_related("repository"))
        self.points = list(RestorePoint.objects.filter(dropped_at=None))
        self.seats = list(SecurityMember.objects.select_related("user"))
        self.grants = list(RoleGrant.objects.select_related("user"))
        self.suspensions = list(Suspension.objects.select_related("member", "suspender"))
        self.voices = list(SuspensionVoice.objects.all())
        self.rosters = list(Roster.objects.order_by("number"))
        self.policies = list(Policy.objects.all())
        told = Entry.objects.values_list("event", "subject_id")
        self.told = Counter(told)
        self.badges: dict[UUID, Badge] = badges(self.jobs, self.now)

    def votes_of(self, request: UUID, **wanted: Any) -> list[Vote]:
        """The votes on one request that have these values."""
        of_request = [vote for vote in self.votes if vote.request_id == request]
        return [vote for vote in of_request if all(getattr(vote, key) == wanted[key] for key in wanted)]

    def others_consent(self, request: ApprovalRequest, **wanted: Any) -> int:
        """How many other persons than the asker approved."""
        consents = self.votes_of(request.pk, verdict="approve", **wanted)
        return len({vote.person_id for vote in consents} - {request.asker_person_id})

    def begun(self, *kinds: str) -> list[ApprovalRequest]:
        """The requests of these kinds, or about passwords, that a worker began."""
        rows = [row for row in self.requests.values() if row.execution is not None]
        return [row for row in rows if row.kind in (kinds or PASSWORDS)]
