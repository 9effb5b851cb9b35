"""Telling people by mail: that something waits, and how it ended. A link, nothing more (P8, P9)."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.core.mail import get_connection
from django.core.mail.message import EmailMessage

from accounts import selectors as people
from accounts.models import User
from accounts.services.notices import address_of
from approvals import rules, selectors
from approvals.models import ApprovalRequest, State

# Longer than a request may wait.
KEEP = 31 * 24 * 3600
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
            *_messages(request, f"{request} waits for your decision", able),
            *_messages(request, f"{request} was asked about people or rules of Security", others),
        ]
    else:
        messages = _messages(request, f"{request} {ENDED[state]}", [request.asker, *all_members])
    return _send(f"notified-{request.pk}-{state}", messages)


def _send(what: str, messages: Iterable[EmailMessage]) -> int:
    """Send each by itself: an address that is refused keeps no other waiting, and none is told twice for it.

    Raises the first error once all were tried, so that the task tries the rest again.
    """
    sent, failed = 0, list[Exception]()
    with get_connection() as mail:
        for message in messages:
            told = f"{what}-{hashlib.sha256(message.to[0].encode()).hexdigest()}"
            if cache.get(told):
                continue
            try:
                sent += mail.send_messages([message]) or 0
            except (OSError, ValueError) as error:
                failed.append(error)
            else:
                cache.set(told, True, KEEP)
    if failed:
        raise failed[0]
    return sent


def link(request: ApprovalRequest) -> str:
    """Return the address of a request's page."""
    return f"{settings.VEEAMSEC_ORIGIN}/requests/{request.pk}/"


def _messages(request: ApprovalRequest, subject: str, users: Iterable[User]) -> list[EmailMessage]:
    addresses = sorted({address_of(user) for user in users} - {""})
    return [
        EmailMessage(f"[VeeamSec] {subject}", f"{link(request)}\n", to=[address]) for address in addresses
    ]
