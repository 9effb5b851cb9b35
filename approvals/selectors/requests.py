"""Which requests there are, for whom, and in what state by the clock."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Role, User
from accounts.rules import Standing
from approvals import rules
from approvals.errors import NotFound
from approvals.models import ApprovalRequest, RequestTarget, State
from approvals.selectors.standing import unvoted_facts, voter_of
from encryption import selectors as encryption

# Who sees every request; everybody else sees their own and those of jobs that they may see.
SEES_ALL = frozenset({Role.ADMINISTRATOR, Role.ENTERPRISE, Role.AUDITOR})
OPEN = (State.PENDING, State.APPROVED)
# An inbox of more is no inbox; the rest comes up as these are decided.
MOST_WAITING = 200


def visible(user: User) -> QuerySet[ApprovalRequest]:
    """Return the requests that an account may know of."""
    return _visible_as(user.facts(), user)


def _visible_as(facts: Standing, user: User) -> QuerySet[ApprovalRequest]:
    found = ApprovalRequest.objects.select_related("asker__person", "rekey")
    if not facts.active:
        return found.none()
    if facts.is_security or facts.roles & SEES_ALL or facts.superuser:
        return found
    jobs = RequestTarget.objects.filter(
        request=OuterRef("pk"), type="job", ref__in=encryption.jobs_for(user).order_by().values("pk")
    )
    about = RequestTarget.objects.filter(request=OuterRef("pk"), type="user", ref=user.pk)
    return found.filter(Q(asker_person_id=user.person_id) | Exists(jobs) | Exists(about))


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


def open_requests(user: User) -> QuerySet[ApprovalRequest]:
    """Return what an account may see of the requests that wait or are being executed, newest first."""
    now = timezone.now()
    waits = Q(state=State.PENDING, decide_by__gt=now)
    runs = Q(state=State.APPROVED) & (Q(execute_by__gt=now) | Q(rekey__isnull=False))
    return visible(user).filter(waits | runs)


def decided(user: User) -> QuerySet[ApprovalRequest]:
    """Return what an account may see of the requests that have ended, newest first."""
    return visible(user).exclude(pk__in=open_requests(user).order_by().values("pk"))


def asked_by(user: User) -> QuerySet[ApprovalRequest]:
    """Return what a person asked, with whichever of their accounts, newest first."""
    own = ApprovalRequest.objects.filter(asker_person_id=user.person_id)
    return own.select_related("asker__person", "rekey")


def inbox(user: User) -> list[ApprovalRequest]:
    """Return the requests that wait for this very account's decision, the most urgent first.

    Every page counts them, so who looks is read once, not once a request.
    """
    now = timezone.now()
    voter = voter_of(user, now)
    if voter.capacity is None:
        return []
    pending = _visible_as(voter.standing, user).filter(state=State.PENDING, decide_by__gt=now)
    unvoted = pending.exclude(votes__person=user.person_id).prefetch_related("votes")
    urgent = unvoted.order_by("decide_by", "number")[:MOST_WAITING]
    by_place = encryption.named_deciders() if voter.capacity == rules.BY_ADMINISTRATOR else {}
    facts = ((request, unvoted_facts(request, by_place)) for request in urgent)
    return [request for request, found in facts if rules.obstacle(found, voter, now) is None]


def counts(user: User) -> dict[str, int]:
    """Return the figures beside the menu: what waits for this account, what it asked, what is open."""
    asked = asked_by(user).filter(pk__in=open_requests(user).order_by().values("pk"))
    return {"inbox": len(inbox(user)), "asked": asked.count(), "open": open_requests(user).count()}


def open_touching(refs: Collection[UUID]) -> dict[UUID, ApprovalRequest]:
    """Return the open request of each job or password that has one."""
    rows = RequestTarget.objects.filter(open=True, ref__in=refs).select_related("request")
    return {row.ref: row.request for row in rows if state_at(row.request) in OPEN}
