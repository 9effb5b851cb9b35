"""What people are told by mail about their own account and about Security: a line, and where to look."""

from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.message import EmailMessage

from accounts.models import Notice, User
from audit import queue
from audit.queue import Task


def tell_within(users: Iterable[UUID], what: Notice.What, detail: str = "") -> None:
    """Note what each of these accounts is to be told, in the caller's transaction; the worker sends it."""
    for user in sorted(set(users), key=str):
        notice = Notice.objects.create(user_id=user, what=what, detail=detail)
        queue.ring(Task.SEND_NOTICE, notice.pk)


def send(notice_id: UUID) -> bool:
    """Mail one notice, and say whether there was an address."""
    notice = Notice.objects.select_related("user__person").filter(pk=notice_id).first()
    if notice is None:
        return False
    about = f" ({notice.detail})" if notice.detail else ""
    page = "people" if notice.what in ABOUT_SECURITY else "account"
    text = (
        f"{Notice.What(notice.what).label}{about}, at {notice.at:%Y-%m-%d %H:%M} UTC.\n\n"
        f"If you did not expect this, tell Security at once.\n{settings.VEEAMSEC_ORIGIN}/{page}/\n"
    )
    return mail(address_of(notice.user), Notice.What(notice.what).label, text)


def address_of(user: User) -> str:
    """Return where an account is told something; a link that lets somebody act goes nowhere else unasked."""
    return user.email or user.person.email


def mail(address: str, subject: str, text: str) -> bool:
    """Send one mail, and say whether there was an address."""
    if not address:
        return False
    with get_connection() as connection:
        connection.send_messages([EmailMessage(f"[VeeamSec] {subject}", text, to=[address])])
    return True


ABOUT_SECURITY = frozenset(
    {Notice.What.MEMBER_SUSPENDED, Notice.What.SUSPENSION_CONFIRMED, Notice.What.SUSPENSION_LIFTED}
)
