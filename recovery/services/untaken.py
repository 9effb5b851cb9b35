"""What waits to be handed over: custodians are reminded; an alarm says when a generated value is nobody's."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.mail.message import EmailMessage
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.services import mails
from audit import selectors
from audit import services as audit
from audit.alarms import Kind
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from recovery.models import Release
from recovery.services import releases

# From the hand-over on, until it is opened or the week is over.
EVERY = timedelta(days=2)


def remind(now: datetime | None = None) -> int:
    """Tell custodians what waits for them, at once and every second day; return how many mails were sent.

    A line and a link, nothing more (P9). Raises the first error of a mail once all were tried.
    """
    now = now or timezone.now()
    sent, failed = 0, list[Exception]()
    waiting = Release.objects.filter(public_key=None, expires_at__gt=now).select_related("version")
    for release in waiting:
        mark = (now - release.created_at) // EVERY
        users = User.objects.filter(person=release.person_id, is_active=True, is_human=True)
        subject = f"[VeeamSec] A password waits for you until {release.expires_at:%-d %B}"
        text = f"It is shown once, on your page:\n{settings.VEEAMSEC_ORIGIN}/custody/\n"
        messages = [EmailMessage(subject, text, to=[place]) for place in mails.addresses(users)]
        try:
            sent += mails.send_each(f"handover-{release.pk}-{mark}", messages)
        except (OSError, ValueError) as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return sent


def watch(now: datetime | None = None) -> int:
    """Raise an alarm for each generated value that nobody took in time, and end those that are over.

    Returns how many were raised or ended.
    """
    nobodys = {one.pk: one for one in _nobodys(now or timezone.now()).select_related("version", "person")}
    told = {UUID(ref) for ref in _told()}
    for release in (one for pk, one in nobodys.items() if pk not in told):
        with audit.act(by=audit.WORKER, subject=release):
            text = f"{release.person.name} did not read the password “{release.version.hint}” in time."
            raise_alarm_within(Kind.PASSWORD_UNTAKEN, release, Alarm.Severity.CRITICAL, text)
    over = Release.objects.filter(pk__in=told - nobodys.keys())
    for release in over:
        with audit.act(by=audit.WORKER, subject=release):
            resolve_alarm_within(Kind.PASSWORD_UNTAKEN, release)
    return len(nobodys.keys() - told) + len(over)


def _told() -> list[str]:
    rows = selectors.open_alarms().filter(kind=Kind.PASSWORD_UNTAKEN)
    return list(rows.values_list("subject_id", flat=True))


def _nobodys(now: datetime) -> QuerySet[Release]:
    """Return what was generated for somebody who never read it, while it is the newest value in force."""
    taken = Release.objects.filter(version=OuterRef("version"), taken_at__isnull=False)
    late = Release.objects.filter(request=F("version__request"), taken_at=None, expires_at__lte=now)
    return late.exclude(releases.is_over()).exclude(Exists(taken))
