"""Lines of lists: requests and jobs, each with its sign, in a bounded number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from approvals import selectors
from approvals.models import ApprovalRequest, State
from encryption import badge as badges
from encryption.models import Job, JobSession, RestorePoint
from veeamsec.pages import reading, signs, words
from veeamsec.pages.signs import Sign


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request in a list; `when` is its deadline, or when it ended."""

    url: str
    number: int
    title: str
    extent: str
    asker: str
    asked_at: datetime
    when: datetime
    hurries: bool
    state: Sign

    @property
    def decide_by(self) -> datetime:
        """The deadline of a pending request."""
        return self.when


def request_rows(requests: Iterable[ApprovalRequest], viewer: User, waiting: set[UUID]) -> list[RequestRow]:
    """Lines for requests; `waiting` are the ids of those that the viewer may decide now."""
    now = timezone.now()
    return [_request_row(request, viewer, request.pk in waiting, now) for request in requests]


def _request_row(request: ApprovalRequest, viewer: User, waits: bool, now: datetime) -> RequestRow:
    said = selectors.said_in(request)
    state = selectors.state_at(request, now)
    mine = request.asker_person_id == viewer.person_id
    pending = state == State.PENDING
    return RequestRow(
        url=reverse("request", args=[request.pk]),
        number=request.number,
        title=reading.title(said),
        extent=reading.extent(said),
        asker="you" if mine else request.asker.person.name,
        asked_at=request.created_at,
        when=request.decide_by if pending else request.ended_at or request.decided_at or request.decide_by,
        hurries=pending and words.until_end_of(request.decide_by, now),
        state=signs.of_request(request, state, request.votes.all(), mine=mine, waiting=waits),
    )


@dataclass(frozen=True, slots=True)
class LastRun:
    """How the last backup went."""

    at: datetime
    words: str
    tone: str


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job in a list."""

    url: str
    name: str
    source: str
    repository: str
    schedule: str
    password: str
    points: int
    last_run: LastRun | None
    sign: Sign


def job_rows(jobs: Iterable[Job]) -> list[JobRow]:
    """Lines for jobs."""
    found, now = list(jobs), timezone.now()
    ids = [job.pk for job in found]
    signed = badges.badges(found, now)
    live = RestorePoint.objects.filter(job__in=ids, dropped_at=None).order_by()
    points = dict(live.values_list("job").annotate(Count("pk")))
    runs = JobSession.objects.filter(Q(job__in=ids), kind=JobSession.Kind.BACKUP)
    last = {run.job_id: run for run in runs.order_by("job_id", "-created_at").distinct("job_id")}
    return [
        JobRow(
            url=reverse("job", args=[job.pk]),
            name=job.name,
            source=job.source,
            repository=job.repository.name,
            schedule=words.every(job.schedule_minutes) if job.schedule_minutes else "",
            password=job.password.hint if job.password else "",
            points=points.get(job.pk, 0),
            last_run=last_run(last.get(job.pk)),
            sign=signs.of_badge(signed[job.pk], now),
        )
        for job in found
    ]


def last_run(session: JobSession | None) -> LastRun | None:
    """How a backup went, for a line."""
    if session is None:
        return None
    sign = signs.of_session(session)
    tone = sign.tone if sign.tone in (signs.REFUSE, signs.WAIT) else ""
    return LastRun(session.ended_at or session.created_at, sign.words.lower(), tone)
