"""Reminders of a request's deadline, and once a day what waits for whom. Links, nothing more (P8, P9)."""

from collections import defaultdict
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.core.mail.message import EmailMessage
from django.utils import timezone

from accounts.services import mails
from approvals import selectors
from approvals.models import ApprovalRequest, State
from approvals.services import notify

# Of the time between asking and the deadline, the later one first.
MARKS = (90, 50)
# In the morning, by the clock of the installation (UTC).
DIGEST_HOUR = 7


def remind(now: datetime | None = None) -> int:
    """Remind who may still decide, at each mark once; return how many mails were sent.

    Raises the first error of a mail once all were tried; the next minute tries the rest again.
    """
    now = now or timezone.now()
    sent, failed = 0, list[Exception]()
    for request in ApprovalRequest.objects.filter(state=State.PENDING, decide_by__gt=now):
        mark = _mark(request, now)
        done = f"reminded-{request.pk}-{mark}"
        if not mark or cache.get(done):
            continue
        subject = f"{request} still waits for your decision: {_left(request.decide_by - now)} left"
        messages = notify.messages_to(request, subject, selectors.deciders(request))
        try:
            sent += mails.send_each(done, messages)
        except (OSError, ValueError) as error:
            failed.append(error)
        else:
            cache.set(done, True, mails.KEEP)
    if failed:
        raise failed[0]
    return sent


def digest(now: datetime | None = None) -> int:
    """Send each person who may decide one mail a day with what waits for them; return how many mails.

    Raises the first error once all were tried.
    """
    now = timezone.localtime(now or timezone.now())
    done = f"digest-{now:%Y-%m-%d}"
    if now.hour < DIGEST_HOUR or cache.get(done):
        return 0
    waiting: dict[str, list[ApprovalRequest]] = defaultdict(list)
    for request in ApprovalRequest.objects.filter(state=State.PENDING, decide_by__gt=now).order_by(
        "decide_by"
    ):
        for address in mails.addresses(selectors.deciders(request)):
            waiting[address].append(request)
    sent = mails.send_each(done, [_digest(address, found, now) for address, found in waiting.items()])
    cache.set(done, True, mails.KEEP)
    return sent


def _mark(request: ApprovalRequest, now: datetime) -> int:
    whole = request.decide_by - request.created_at
    past = 100 * (now - request.created_at) / whole if whole else 0
    return next((mark for mark in MARKS if past >= mark), 0)


def _digest(address: str, found: list[ApprovalRequest], now: datetime) -> EmailMessage:
    lines = [
        f"{request}, {_left(request.decide_by - now)} left\n{notify.link(request)}\n" for request in found
    ]
    one = "1 request waits" if len(found) == 1 else f"{len(found)} requests wait"
    text = "\n".join(lines) + f"\nAll of them: {settings.VEEAMSEC_ORIGIN}/requests/\n"
    return EmailMessage(f"[VeeamSec] {one} for your decision", text, to=[address])


def _left(time: timedelta) -> str:
    hours = int(time.total_seconds() // 3600)
    if hours >= 48:
        return f"{hours // 24} days"
    return "less than an hour" if hours < 1 else "1 hour" if hours == 1 else f"{hours} hours"
