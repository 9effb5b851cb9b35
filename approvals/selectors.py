"""Named reads about requests and votes that doors, pages and use cases share."""

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Role, RoleGrant, User
from approvals import rules, statement
from approvals.errors import NotFound, Refused
from approvals.models import ApprovalRequest, RequestTarget, State
from encryption import selectors as encryption

# Who sees every request; everybody else sees their own and those of jobs that they may see.
SEES_ALL = frozenset({Role.ADMINISTRATOR, Role.ENTERPRISE, Role.AUDITOR})


def voter_of(user: User, now: datetime | None = None) -> rules.Voter:
    """Return an account as a voter: its live standing, and since when it holds the administrator's office."""
    grant = RoleGrant.live(now).filter(user_id=user.pk, role=Role.ADMINISTRATOR).order_by("since").first()
    return rules.Voter(user.facts(now), grant.since if grant else None)


def facts_of(request: ApprovalRequest, now: datetime | None = None) -> rules.RequestFacts:
    """Return what a decision depends on, with each voter's standing as it is now."""
    said = statement.parse(bytes(request.statement))
    votes = tuple(
        rules.VoteFacts(vote.verdict, vote.capacity, vote.digest, voter_of(vote.voter, now))
        for vote in request.votes.select_related("voter")
    )
    return rules.RequestFacts(
        id=request.pk,
        state=request.state,
        digest=request.digest,
        askers=said.askers | {request.asker_person_id},
        policy=rules.PolicyFacts.read(request.policy),
        created=request.created_at,
        decide_by=request.decide_by,
        votes=votes,
    )


def visible(user: User) -> QuerySet[ApprovalRequest]:
    """Return the requests that an account may know of."""
    found = ApprovalRequest.objects.select_related("asker__person", "rekey")
    facts = user.facts()
    if not facts.active:
        return found.none()
    if facts.is_security or facts.roles & SEES_ALL or facts.superuser:
        return found
    jobs = RequestTarget.objects.filter(
        request=OuterRef("pk"), type="job", ref__in=encryption.jobs_for(user).order_by().values("pk")
    )
    return found.filter(Q(asker_person_id=user.person_id) | Exists(jobs))


def get_visible(request_id: UUID, user: User) -> ApprovalRequest:
    """Return one request; NotFound when there is none or it is not this account's to know."""
    request = visible(user).filter(pk=request_id).first()
    if request is None:
        raise NotFound("There is no such request.")
    return request


def state_at(request: ApprovalRequest, now: datetime | None = None) -> str:
    """Return the state by the server's clock: what is overdue has ended, written yet or not (P6)."""
    now = now or timezone.now()
    if request.state == State.PENDING and now >= request.decide_by:
        return State.EXPIRED
    overdue = request.execute_by is not None and now >= request.execute_by
    if request.state == State.APPROVED and overdue and request.rekey_id is None:
        return State.LAPSED
    return request.state


def obstacle_for(request: ApprovalRequest, user: User, now: datetime | None = None) -> Refused | None:
    """Return why an account may not decide now, or None."""
    now = now or timezone.now()
    return rules.obstacle(facts_of(request, now), voter_of(user, now), now)
