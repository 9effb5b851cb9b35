"""Everything that one page shows about one request, for the person who looks at it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts.models import Title, User
from accounts.selectors import user_label
from approvals.errors import Refused
from approvals.models import ApprovalRequest, Capacity, State, Vote
from approvals.selectors.requests import get_visible, state_at
from approvals.selectors.said import said_in
from approvals.selectors.standing import deciders, obstacle_for
from approvals.statement import Statement
from encryption.badge import Badge, badges
from encryption.models import Job, Rekey

FACTORS = {"passkey": "passkey", "totp": "authenticator app", "password": "password"}


@dataclass(frozen=True, slots=True)
class VoteLine:
    """One decision in words."""

    vote: Vote
    who: str
    factor: str


@dataclass(frozen=True, slots=True)
class RequestDetail:
    """One request as its viewer may see and decide it."""

    request: ApprovalRequest
    state: State
    statement: Statement
    asker: str
    votes: tuple[VoteLine, ...]
    # Who may still decide, named with their office; empty once it is decided.
    deciders: tuple[str, ...]
    # Why this viewer may not decide, as a value and in words; None: they may.
    obstacle: Refused | None
    may_withdraw: bool
    jobs: tuple[Job, ...]
    badges: dict[UUID, Badge]
    rekey: Rekey | None

    @property
    def may_decide(self) -> bool:
        """Whether the buttons are shown; the use case checks again."""
        return self.obstacle is None


def request_detail(request_id: UUID, viewer: User, now: datetime | None = None) -> RequestDetail:
    """Return one request for one viewer; NotFound when it is not theirs to know."""
    now = now or timezone.now()
    request = get_visible(request_id, viewer)
    said, state = said_in(request), State(state_at(request, now))
    jobs = tuple(Job.objects.filter(pk__in=said.refs("job")).select_related("repository", "password"))
    waits = state == State.PENDING
    return RequestDetail(
        request=request,
        state=state,
        statement=said,
        asker=user_label(request.asker),
        votes=vote_lines(request),
        deciders=tuple(user_label(user) for user in deciders(request)) if waits else (),
        obstacle=obstacle_for(request, viewer, now),
        may_withdraw=waits and viewer.person_id == request.asker_person_id,
        jobs=jobs,
        badges=badges(jobs, now),
        rekey=request.rekey,
    )


def vote_lines(request: ApprovalRequest) -> tuple[VoteLine, ...]:
    """Return the decisions on a request in words, oldest first."""
    votes = request.votes.select_related("voter__person")
    return tuple(VoteLine(vote, _who(vote), FACTORS.get(vote.proof["factor"], "unknown")) for vote in votes)


def _who(vote: Vote) -> str:
    # In the office of that day: the seat may have changed since.
    titled = bool(vote.title) and vote.title != Title.OTHER
    office = [Capacity(vote.capacity).label, *([Title(vote.title).label] if titled else [])]
    return " · ".join([vote.voter.person.name, *office])
