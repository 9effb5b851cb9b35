"""What time ends: nothing that is overdue is ever approved or executed (P6). Server clock alone."""

from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from approvals import selectors
from approvals import statement as statements
from approvals.errors import Invalid, Stale
from approvals.models import ApprovalRequest, State
from approvals.services import actions, endings, policies
from audit import services as audit
from audit.statement import BEAT

OUTDATED = "A stricter policy came into force: ask again under it."
WHY = {
    State.EXPIRED: "Nobody decided in time.",
    State.LAPSED: "Approved, but nothing was begun within the time to execute; nothing changed.",
}


def expire_due() -> int:
    """End every request whose time is over, each in a transaction of its own; return how many."""
    now = timezone.now()
    overdue = Q(state=State.PENDING, decide_by__lte=now) | Q(
        state=State.APPROVED, execute_by__lte=now, rekey=None
    )
    return sum(settle(pk) for pk in ApprovalRequest.objects.filter(overdue).values_list("pk", flat=True))


def check_not_outdated(request: ApprovalRequest) -> None:
    """Raise Stale when a stricter policy came into force since a request was asked."""
    if _is_outdated(request):
        raise Stale(OUTDATED)


def end_outdated() -> int:
    """End every open request whose policy became stricter, save what was begun; return how many."""
    ended = 0
    for found in ApprovalRequest.objects.filter(state__in=[State.PENDING, State.APPROVED], rekey=None):
        if not _is_outdated(found):
            continue
        with audit.act(by=audit.WORKER, subject=(endings.SUBJECT, found.pk)):
            request = endings.locked_within(found.pk)
            if request.state == found.state and request.rekey_id is None:
                endings.end_within(request, State.STALE, OUTDATED)
                ended += 1
    return ended


def _is_outdated(request: ApprovalRequest) -> bool:
    said = statements.parse(bytes(request.statement))
    try:
        now = actions.KINDS[said.kind].policy(said, timezone.now())
    except Invalid:
        # Its jobs fall under different policies by now, so it could not be asked any more.
        return True
    return policies.is_outdated(said.kind, said.policy, now)


def settle(request_id: UUID) -> bool:
    """End one request if its time is over, and say whether it was."""
    request = ApprovalRequest.objects.filter(pk=request_id).first()
    if request is None or selectors.state_at(request) == request.state:
        return False
    with audit.act(by=BEAT, subject=(endings.SUBJECT, request_id)):
        request = endings.locked_within(request_id)
        state = State(selectors.state_at(request))
        if state == request.state:
            return False
        if state == State.LAPSED and request.outcome:
            # It was tried, and why it could not be done stands there already.
            endings.end_within(request, State.FAILED, request.outcome)
        else:
            endings.end_within(request, state, WHY[state])
    return True
