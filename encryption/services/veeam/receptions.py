"""When the receiver of Veeam's events listened, and when it did not: every gap stays on record."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from audit import services as audit
from audit.alarms import Kind
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from encryption.models import VeeamReception, VeeamServer

# The receiver tells of itself every five seconds; a restart takes three.
SILENT = timedelta(minutes=2)
_SUBJECT = "veeam.reception"


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nobody listened; `until` None: it lasts."""

    since: datetime
    until: datetime | None

    @property
    def seconds(self) -> float:
        """How long it was, or is so far."""
        return ((self.until or timezone.now()) - self.since).total_seconds()


@dataclass(frozen=True, slots=True)
class Tally:
    """What came in one stretch: taken as events, turned away, lost for want of room."""

    received: int = 0
    refused: int = 0
    dropped: int = 0


def begin(ports: dict[str, int], at: datetime) -> UUID:
    """Note that listening begins; what was left open by a receiver that died ends where it was last alive."""
    with audit.act(by=audit.CONSOLE, subject=_SUBJECT):
        for left in VeeamReception.objects.select_for_update().filter(ended_at=None).order_by("began_at"):
            left.ended_at = left.alive_at
            left.save(update_fields=["ended_at"])
        former = VeeamReception.objects.order_by("-ended_at").first()
        made = VeeamReception.objects.create(began_at=at, alive_at=at, ports=ports)
        if former is not None and former.ended_at is not None and former.ended_at < at:
            facts = {"since": former.ended_at, "until": at}
            audit.record(Event.VEEAM_RECEPTION_GAP, facts=facts)
        audit.record(Event.VEEAM_RECEPTION_BEGUN, facts={"ports": ports, "reception": made.pk})
        resolve_alarm_within(Kind.VEEAM_NOT_LISTENING, _SUBJECT)
    return made.pk


def stay(reception: UUID, at: datetime, tally: Tally) -> None:
    """Note that it still listens, and what came so far. A row that another start ended is open again."""
    VeeamReception.objects.filter(pk=reception, alive_at__lte=at).update(
        alive_at=at,
        ended_at=None,
        received=tally.received,
        refused=tally.refused,
        dropped=tally.dropped,
    )


def end(reception: UUID, at: datetime, tally: Tally) -> None:
    """Note that listening ended."""
    with audit.act(by=audit.CONSOLE, subject=_SUBJECT):
        VeeamReception.objects.filter(pk=reception).update(
            alive_at=at,
            ended_at=at,
            received=tally.received,
            refused=tally.refused,
            dropped=tally.dropped,
        )
        facts = {
            "reception": reception,
            "received": tally.received,
            "refused": tally.refused,
            "dropped": tally.dropped,
        }
        audit.record(Event.VEEAM_RECEPTION_ENDED, facts=facts)


def listening(now: datetime | None = None) -> VeeamReception | None:
    """The stretch that goes on, if one does."""
    alive = (now or timezone.now()) - SILENT
    return VeeamReception.objects.filter(ended_at=None, alive_at__gte=alive).first()


def ever() -> bool:
    """Whether anybody has listened yet."""
    return VeeamReception.objects.exists()


def last() -> VeeamReception | None:
    """The newest stretch of listening, whether it goes on or not."""
    return VeeamReception.objects.order_by("-alive_at").first()


def gaps(since: datetime | None = None, now: datetime | None = None) -> list[Gap]:
    """Every time in which nobody listened since the first start, or since a moment; oldest first."""
    now, found, heard = now or timezone.now(), [], None
    for row in VeeamReception.objects.order_by("began_at"):
        if heard is not None and row.began_at > heard:
            found.append(Gap(heard, row.began_at))
        ended = row.ended_at or row.alive_at
        heard = ended if heard is None else max(heard, ended)
    if heard is not None and now - heard > SILENT:
        found.append(Gap(heard, None))
    return [gap for gap in found if since is None or gap.until is None or gap.until > since]


def watch() -> None:
    """Raise the alarm while nobody listens though somebody should, and end it; by the worker."""
    wanted = any(settings.VEEAMSEC_SYSLOG[transport] for transport in ("udp", "tcp", "tls"))
    newest = last()
    with audit.act(by=audit.WORKER, subject=_SUBJECT):
        if not wanted or newest is None or listening() is not None or not VeeamServer.objects.exists():
            resolve_alarm_within(Kind.VEEAM_NOT_LISTENING, _SUBJECT)
            return
        text = f"Nothing listens to Veeam's events since {newest.alive_at:%d %b %Y, %H:%M} UTC."
        raise_alarm_within(Kind.VEEAM_NOT_LISTENING, _SUBJECT, Alarm.Severity.WARNING, text)
