"""How a request ends: its state, its reason, its secret erased, its targets let go; one way only."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from approvals.errors import NotFound
from approvals.models import ApprovalRequest, State
from audit import queue
from audit import services as audit
from audit.alarms import Kind
from audit.events import Event
from audit.queue import Task
from audit.services.alarms import resolve_alarm_within

# How the log names a request, also one that was never made.
SUBJECT = "approvals.approvalrequest"
EVENTS: Mapping[State, Event] = {
    State.EXECUTED: Event.REQUEST_EXECUTED,
    State.FAILED: Event.REQUEST_FAILED,
    State.LAPSED: Event.REQUEST_LAPSED,
    State.STALE: Event.REQUEST_STALE,
    State.REJECTED: Event.REQUEST_REJECTED,
    State.WITHDRAWN: Event.REQUEST_WITHDRAWN,
    State.EXPIRED: Event.REQUEST_EXPIRED,
}


def locked_within(request_id: UUID) -> ApprovalRequest:
    """Lock and return one request; NotFound when there is none. Every lock of a request comes first."""
    request = ApprovalRequest.objects.select_for_update(of=("self",)).filter(pk=request_id).first()
    if request is None:
        raise NotFound("There is no such request.")
    return request


def end_within(
    request: ApprovalRequest, state: State, outcome: str = "", *, now: datetime | None = None
) -> None:
    """End a locked request for good; whoever asked is told."""
    now = now or timezone.now()
    had_secret = request.sealed_secret is not None
    request.state, request.outcome, request.ended_at, request.sealed_secret = state, outcome, now, None
    if state == State.REJECTED:
        request.decided_at = now
    request.save(update_fields=["state", "outcome", "ended_at", "decided_at", "sealed_secret"])
    request.targets.filter(open=True).update(open=False)
    facts = {"number": request.number, "digest": request.digest}
    # Why is in our own words, save where people decided: what they wrote can be erased with them.
    why = {"reason": outcome} if state == State.STALE else {}
    audit.record(EVENTS[state], subject=request, facts=facts | why)
    if had_secret:
        audit.record(Event.SECRET_ERASED, subject=request)
    # Nobody can prove a copy for it any more.
    resolve_alarm_within(Kind.CUSTODY_WRONG, request)
    queue.ring(Task.NOTIFY, request.pk)
