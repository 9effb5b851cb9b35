"""What time ends: nothing that is overdue is ever approved or executed (P6). Server clock alone."""

from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from approvals import selectors
from approvals.models import ApprovalRequest, State
from approvals.services import endings
from audit import services as audit
from audit.statement import BEAT

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
        endings.end_within(request, state, WHY[state])
    return True
