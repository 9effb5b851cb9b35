"""Who may decide, counted from the bare rows: what the product's own count is held against.

Nothing of the product's rules, selectors or statements is asked here, only its tables.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.models import Role, RoleGrant, Roster, SecurityMember, Suspension, User
from approvals.models import ApprovalRequest, Policy, State, Vote

PASSWORDS = ("activate_encryption", "change_password", "deactivate_encryption", "delete_password")
RULES = "change_policy"
SECURITY, ADMINISTRATOR = "security", "administrator"


@dataclass(frozen=True)
class Chair:
    """One live seat of Security: since when, and what a suspension makes of it."""

    title: str
    since: datetime
    acts: bool
    only_rejects: bool


@dataclass
class Census:
    """Everybody's standing at this very moment."""

    now: datetime = field(default_factory=timezone.now)

    def __post_init__(self) -> None:
        self.people = {user.pk: user for user in User.objects.all()}
        runs = Q(ends_at=None) | Q(ends_at__gt=self.now)
        self.stopped = list(Suspension.objects.filter(runs, ended_at=None, member__until=None))
        stopped = {row.member_id for row in self.stopped}
        bold = {row.suspender_id for row in self.stopped if row.ends_at is not None}
        self.chairs: dict[UUID, Chair] = {}
        for seat in SecurityMember.objects.filter(until=None):
            acts = self.people[seat.user_id].is_active and seat.pk not in stopped
            self.chairs[seat.user_id] = Chair(seat.title, seat.since, acts, seat.pk in bold)
        held = RoleGrant.objects.filter(Q(until=None) | Q(until__gt=self.now), role=Role.ADMINISTRATOR)
        self.offices = {grant.user_id: grant.since for grant in held}
        roster = json.loads(bytes(Roster.objects.order_by("-number").first().body))
        self.signed = {
            SECURITY: {UUID(entry["user"]): entry["title"] for entry in roster["security"]},
            ADMINISTRATOR: {UUID(entry["user"]): "" for entry in roster["administrators"]},
        }

    def seats(self) -> int:
        """How many persons act for Security."""
        return len({self.people[user].person_id for user, chair in self.chairs.items() if chair.acts})

    def enough_seats(self, kind: str) -> bool:
        return self.seats() >= (2 if kind in PASSWORDS or kind == RULES else 1)

    def capacity(self, user: UUID, request: ApprovalRequest) -> str | None:
        """In what role an account may decide on a request; None where it may not."""
        said, who = said_by(request), self.people[user]
        if not (who.is_active and who.is_human) or str(who.person_id) in askers(said):
            return None
        if user in self.chairs:
            chair = self.chairs[user]
            return SECURITY if chair.acts and chair.since <= request.created_at else None
        allowed = request.kind in PASSWORDS and said["policy"]["administrators_may_approve"]
        since = self.offices.get(user)
        return ADMINISTRATOR if allowed and since is not None and since <= request.created_at else None

    def counted(self, request: ApprovalRequest, *, signed: bool) -> list[Vote]:
        """The approvals that count; `signed` asks for a place in the roster too, as the worker does."""
        advising = said_by(request)["policy"]["advising_titles"]
        found = []
        for vote in Vote.objects.filter(request=request, verdict="approve", digest=request.digest):
            capacity, chair = self.capacity(vote.voter_id, request), self.chairs.get(vote.voter_id)
            if capacity is None or vote.capacity != capacity:
                continue
            if chair is not None and (chair.only_rejects or chair.title in advising):
                continue
            if not signed or vote.voter_id in self.signed[capacity]:
                found.append(vote)
        return found

    def decided(self, request: ApprovalRequest, *, signed: bool) -> bool:
        """Whether a request has what its own frozen rules ask for, and no objection."""
        rules, votes = said_by(request)["policy"], self.counted(request, signed=signed)
        objected = Vote.objects.filter(request=request, verdict="reject").exists()
        titles = Counter(self.chairs[vote.voter_id].title for vote in votes if vote.voter_id in self.chairs)
        pools = rules["pools"] if request.kind in PASSWORDS or request.kind == RULES else []
        persons = {vote.person_id for vote in votes}
        filled = all(titles[pool["title"]] >= pool["count"] for pool in pools)
        return not objected and len(persons) >= rules["quorum"] >= 1 and filled

    def may_vote(self, user: UUID, request: ApprovalRequest, *, yes: bool) -> bool:
        """Whether this account may cast this vote now."""
        if request.state != State.PENDING or self.now >= request.decide_by:
            return False
        if self.capacity(user, request) is None:
            return False
        if Vote.objects.filter(request=request, person=self.people[user].person_id).exists():
            return False
        chair = self.chairs.get(user)
        tied = chair is not None and chair.only_rejects
        return not yes or (not tied and self.enough_seats(request.kind) and not outdated(request))

    def may_execute(self, request: ApprovalRequest) -> bool:
        """Whether the worker may begin what was approved."""
        return (
            request.state == State.APPROVED
            and self.now < request.execute_by
            and self.enough_seats(request.kind)
            and self.decided(request, signed=True)
            and not outdated(request)
        )


def said_by(request: ApprovalRequest) -> dict[str, Any]:
    """What stands in the text that people decide on."""
    said: dict[str, Any] = json.loads(bytes(request.statement))
    return said


def askers(said: dict[str, Any]) -> set[str]:
    """The persons whose own request it is: who asked, who made the asker's account, whom it is about."""
    made_by = said["asker"].get("made_by", ())
    return {said["asker"]["person"], *made_by, *said["change"].get("subjects", ())}


def in_force(kind: str, said: dict[str, Any]) -> Policy:
    """The rules that such a request would fall under now; the house has one repository."""
    own = Policy.objects.exclude(scope=None).order_by("-number").first()
    here = kind in PASSWORDS or (kind == RULES and said["change"]["scope"] is not None)
    return own if own is not None and here else Policy.objects.filter(scope=None).order_by("-number").first()


def outdated(request: ApprovalRequest) -> bool:
    """Whether rules came into force that ask for more than those that stand in the request."""
    said = said_by(request)
    old, new = said["policy"], in_force(request.kind, said)
    if str(new.pk) == old["id"]:
        return False
    more = new.quorum > old["quorum"]
    more |= new.decide_days < old["decide_days"] or new.execute_hours < old["execute_hours"]
    more |= new.mfa_required and not old["mfa_required"]
    more |= not set(new.advising_titles) <= set(old["advising_titles"])
    if request.kind in PASSWORDS:
        more |= old["administrators_may_approve"] and not new.administrators_may_approve
    if request.kind in PASSWORDS or request.kind == RULES:
        former = {pool["title"]: pool["count"] for pool in old["pools"]}
        more |= any(pool["count"] > former.get(pool["title"], 0) for pool in new.pools)
    return bool(more)
