"""Telling people by mail: that something waits, and how it ended. A link, nothing more (P8, P9)."""

from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.core.mail.message import EmailMessage

from accounts import selectors as people
from accounts.models import User
from accounts.services import mails
from approvals import rules, selectors
from approvals.models import ApprovalRequest, State

ENDED = {
    State.APPROVED: "was approved",
    State.EXECUTED: "was executed",
    State.FAILED: "failed; nothing was changed",
    State.LAPSED: "lapsed; nothing was changed",
    State.STALE: "went stale; nothing was changed",
    State.REJECTED: "was rejected",
    State.WITHDRAWN: "was withdrawn",
    State.EXPIRED: "expired; nothing was changed",
}


def notify(request_id: UUID) -> int:
    """Send the mails that a request's state calls for; return how many."""
    request = ApprovalRequest.objects.select_related("asker__person").filter(pk=request_id).first()
    if request is None:
        return 0
    state = State(selectors.state_at(request))
    # P4: what concerns those who decide, or by which rules, is told to every member.
    members = [seat.user for seat in people.security_members(active=False)]
    all_members = members if request.kind in rules.BY_SECURITY_ALONE else []
    if state == State.PENDING:
        able = selectors.deciders(request)
        others = [user for user in all_members if user not in able]
        messages = [
            *messages_to(request, f"{request} waits for your decision", able),
            *messages_to(request, f"{request} was asked about people or rules of Security", others),
        ]
    else:
        messages = messages_to(request, f"{request} {ENDED[state]}", [request.asker, *all_members])
    return mails.send_each(f"notified-{request.pk}-{state}", messages)


def link(request: ApprovalRequest) -> str:
    """Return the address of a request's page."""
    return f"{settings.VEEAMSEC_ORIGIN}/requests/{request.pk}/"


def messages_to(request: ApprovalRequest, subject: str, users: Iterable[User]) -> list[EmailMessage]:
    """Return a mail to each of these people: a line about a request, and its link."""
    text = f"{link(request)}\n"
    return [EmailMessage(f"[VeeamSec] {subject}", text, to=[place]) for place in mails.addresses(users)]
