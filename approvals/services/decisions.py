"""Deciding: another person, in a browser, with a fresh step-up, on exactly this text (P1, P5, P8)."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from accounts.services import stepup
from accounts.services.stepup import Binding, StepUp
from approvals import rules, selectors
from approvals.models import ApprovalRequest, Capacity, State, Verdict
from approvals.services import deadlines, endings, people, texts
from audit import queue
from audit import services as audit
from audit.alarms import Kind as Alarms
from audit.events import Event
from audit.models import Alarm
from audit.queue import Task
from audit.services.alarms import raise_alarm_within

# The page that one decides on takes longer to read.
QUICK = timedelta(minutes=1)


def challenge(
    request_id: UUID, *, by: User, verdict: str, digest: str, comment: str = "", interactive: bool = True
) -> dict[str, Any]:
    """Start the step-up for one decision: {nonce, public_key, factors}; refuses what the decision would."""
    deadlines.settle(request_id)
    with audit.attempt(by=by, subject=(endings.SUBJECT, request_id)):
        rules.check_interactive(interactive=interactive, is_human=by.is_human)
        request = selectors.get_visible(request_id, by)
        comment = _read(comment)
        binding = _check(request, by, verdict, digest, comment)
        begun: dict[str, Any] = stepup.begin(by, binding, mfa_required=_mfa_required(request))
    return begun


def approve(
    request_id: UUID, *, by: User, digest: str, step_up: StepUp, comment: str = "", interactive: bool
) -> ApprovalRequest:
    """Record one approval; the last one needed rings for the execution."""
    return _decide(request_id, Verdict.APPROVE, by, digest, step_up, comment, interactive)


def reject(
    request_id: UUID, *, by: User, digest: str, step_up: StepUp, comment: str, interactive: bool
) -> ApprovalRequest:
    """Record a rejection, with its comment; one of them ends the request."""
    return _decide(request_id, Verdict.REJECT, by, digest, step_up, comment, interactive)


def _decide(
    request_id: UUID,
    verdict: Verdict,
    by: User,
    digest: str,
    step_up: StepUp,
    comment: str,
    interactive: bool,
) -> ApprovalRequest:
    deadlines.settle(request_id)
    with audit.attempt(by=by, subject=(endings.SUBJECT, request_id)) as attempt:
        rules.check_interactive(interactive=interactive, is_human=by.is_human)
        request = selectors.get_visible(request_id, by)
        comment = _read(comment)
        binding = _check(request, by, verdict, digest, comment)
        proof = stepup.consume(step_up, by=by, binding=binding, mfa_required=_mfa_required(request))
        with attempt.act():
            request = endings.locked_within(request_id)
            people.lock_role_within()
            # Again, under the lock: what was so a moment ago may not be so now.
            _check(request, by, verdict, digest, comment)
            _cast_within(request, by, binding, comment, proof)
            _settle_within(request)
    return request


def _read(comment: str) -> str:
    return texts.text(comment, "The comment", rules.MAX_COMMENT, blank=True)


def _check(request: ApprovalRequest, by: User, verdict: str, digest: str, comment: str) -> Binding:
    now = timezone.now()
    voter = selectors.voter_of(by, now)
    capacity = rules.check_vote(
        selectors.facts_of(request, now), voter, verdict=verdict, digest=digest, comment=comment, now=now
    )
    if verdict == Verdict.APPROVE:
        rules.check_seats(people.seats(), least=rules.seats_needed(request.kind))
        deadlines.check_not_outdated(request)
    return Binding(
        request=request.pk,
        digest=request.digest,
        verdict=verdict,
        capacity=capacity,
        person=by.person_id,
        comment_digest=hashlib.sha256(comment.encode()).hexdigest(),
    )


def _mfa_required(request: ApprovalRequest) -> bool:
    return rules.terms(request.kind, request.policy).mfa_required


def _cast_within(
    request: ApprovalRequest, by: User, binding: Binding, comment: str, proof: dict[str, Any]
) -> None:
    request.votes.create(
        voter=by,
        person_id=by.person_id,
        asker_person_id=request.asker_person_id,
        capacity=binding.capacity,
        title=by.facts().security_title or "",
        verdict=binding.verdict,
        comment=comment,
        digest=binding.digest,
        proof=proof,
        cast_at=timezone.now(),
    )
    audit.record(
        Event.VOTE_CAST,
        subject=request,
        facts={
            "capacity": binding.capacity,
            "comment_digest": binding.comment_digest,
            "digest": binding.digest,
            "factor": proof["factor"],
            "verdict": binding.verdict,
        },
    )
    _tell_quick_within(request, binding)


def _tell_quick_within(request: ApprovalRequest, binding: Binding) -> None:
    """Raise the alarm about an administrator who approves faster than the request can be read."""
    took = timezone.now() - request.created_at
    office = binding.verdict == Verdict.APPROVE and binding.capacity == Capacity.ADMINISTRATOR
    if office and took < QUICK:
        text = f"{request} was approved by an administrator {took.seconds} seconds after it was asked."
        raise_alarm_within(Alarms.QUICK_APPROVAL, request, Alarm.Severity.WARNING, text)


def _settle_within(request: ApprovalRequest) -> None:
    now = timezone.now()
    match rules.outcome(selectors.facts_of(request, now)):
        case rules.REJECTED:
            endings.end_within(request, State.REJECTED, "Rejected.", now=now)
        case rules.APPROVED:
            request.state, request.decided_at = State.APPROVED, now
            request.execute_by = now + timedelta(hours=int(request.policy["execute_hours"]))
            request.save(update_fields=["state", "decided_at", "execute_by"])
            audit.record(
                Event.REQUEST_APPROVED,
                subject=request,
                facts={"number": request.number, "digest": request.digest},
            )
            queue.ring(Task.EXECUTE, request.pk)
            queue.ring(Task.NOTIFY, request.pk)
