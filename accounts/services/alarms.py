"""Alarms and people: who is told by mail, who takes one on, and who ends what is over already.

They stand here because both are a question of roles, of which the log knows nothing.
"""

from uuid import UUID

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.message import EmailMessage

from accounts import selectors
from accounts.errors import Invalid, NotEligible, NotFound
from accounts.models import Role, SecurityMember, User
from accounts.rules import Standing
from accounts.services import mails
from audit import queue
from audit import services as audit
from audit.alarms import Concerns, Kind
from audit.models import Alarm, Outbox

SUBJECT = "audit.alarm"
MAX_NOTE = 1_000
# One mail names so many; the page has the rest.
NAMED = 20
_ANSWERS = frozenset({Role.ADMINISTRATOR, Role.ENTERPRISE, Role.OPERATOR})


def acknowledge(alarm_id: UUID, *, by: User, note: str = "") -> Alarm:
    """Take an alarm on; the others see who, and what they noted. It stays until its cause is gone.

    Raises NotFound, NotEligible for who only reads, Invalid for a note that does not show as what it is.
    """
    note = _read(note)
    with audit.act(by=by, subject=(SUBJECT, alarm_id)):
        _check_answers(by)
        alarm = _locked(alarm_id)
        audit.acknowledge_alarm_within(alarm, by=by, note=note)
    return alarm


def close(alarm_id: UUID, *, by: User, note: str, interactive: bool) -> Alarm:
    """End an alarm of something that is over, as a member of Security whom it is not about, with a note.

    Raises NotFound, NotEligible, Invalid for one that ends by itself or without a note.
    """
    note = _read(note)
    with audit.act(by=by, subject=(SUBJECT, alarm_id)):
        alarm = _locked(alarm_id)
        if not interactive or not by.facts().is_security:
            raise NotEligible("A member of Security ends this alarm, in a browser.")
        if not Kind(alarm.kind).incident:
            raise Invalid("This alarm ends by itself, when its cause is gone.")
        if _is_about(alarm, by):
            raise NotEligible("It is about you: another member of Security ends it.")
        if not note:
            raise Invalid("Say what came of it: the others will want to know.")
        if alarm.state != Alarm.State.RESOLVED:
            audit.acknowledge_alarm_within(alarm, by=by, note=note)
            audit.end_incident_within(alarm)
    return alarm


def answers(standing: Standing) -> bool:
    """Say whether somebody may take an alarm on: people who can do something about one."""
    works = standing.active and standing.is_human and bool(_ANSWERS & standing.roles)
    return works or standing.is_security


def tell(alarm_id: UUID) -> int:
    """Mail an alarm, and all that wait to be told with it, to those concerned; return how many mails.

    Raises the first error once all were tried, so that the task tries the rest again.
    """
    waiting = Outbox.objects.filter(name=queue.Task.TELL_ALARM, done_at=None).values("ref")
    told = (Alarm.State.RAISED, Alarm.State.RESOLVED)
    alarms = list(Alarm.objects.filter(state__in=told, pk__in=waiting) | Alarm.objects.filter(pk=alarm_id))
    sent, failed = 0, list[Exception]()
    for address, mine in sorted(_told_to(alarms).items()):
        untold = [alarm for alarm in mine if not mails.was_told(_what(alarm), address)]
        if not untold:
            continue
        try:
            with get_connection() as mail:
                sent += mail.send_messages([_message(untold, address)]) or 0
        except (OSError, ValueError) as error:
            failed.append(error)
            continue
        for alarm in untold:
            mails.note_told(_what(alarm), address)
    if failed:
        raise failed[0]
    return sent


def _told_to(alarms: list[Alarm]) -> dict[str, list[Alarm]]:
    """Return what each address is told."""
    security = mails.addresses(seat.user for seat in selectors.security_members())
    backup = mails.addresses(selectors.holders(Role.ADMINISTRATOR, Role.OPERATOR))
    told: dict[str, list[Alarm]] = {}
    for alarm in alarms:
        concerns = Kind(alarm.kind).concerns
        places = [] if concerns == Concerns.BACKUP else security
        places = places + ([] if concerns == Concerns.SECURITY else backup)
        for address in dict.fromkeys(places):
            told.setdefault(address, []).append(alarm)
    return told


def _message(alarms: list[Alarm], address: str) -> EmailMessage:
    """One mail. What people typed stands in its text alone: a header is of our own words."""
    if len(alarms) == 1:
        subject = _headline(alarms[0])
    else:
        subject = f"{len(alarms)} alarms, {sum(_is_grave(alarm) for alarm in alarms)} of them critical"
    graves = sorted(alarms, key=lambda alarm: (not _is_grave(alarm), alarm.raised_at))
    parts = [f"{_headline(alarm)}\n{alarm.text}\n{_todo(alarm)}" for alarm in graves[:NAMED]]
    if len(alarms) > NAMED:
        parts.append(f"… and {len(alarms) - NAMED} more.")
    text = "\n\n".join(parts) + f"\n\n{settings.VEEAMSEC_ORIGIN}/alarms/\n"
    return EmailMessage(f"[VeeamSec] {subject}", text, to=[address])


def _headline(alarm: Alarm) -> str:
    title = Kind(alarm.kind).heading
    if alarm.state == Alarm.State.RESOLVED:
        return f"Ended: {title}"
    return f"Critical: {title}" if _is_grave(alarm) else title


def _todo(alarm: Alarm) -> str:
    return "The alarm is over." if alarm.state == Alarm.State.RESOLVED else Kind(alarm.kind).todo


def _is_grave(alarm: Alarm) -> bool:
    return alarm.severity == Alarm.Severity.CRITICAL and alarm.state != Alarm.State.RESOLVED


def _what(alarm: Alarm) -> str:
    over = alarm.state == Alarm.State.RESOLVED
    return f"alarm-{alarm.pk}-{'ended' if over else 'raised'}"


def _check_answers(by: User) -> None:
    if not answers(by.facts()):
        raise NotEligible("Who only reads takes no alarm on.")


def _is_about(alarm: Alarm, user: User) -> bool:
    seats = SecurityMember.objects.filter(person_id=user.person_id).values_list("pk", flat=True)
    return alarm.subject_id in {str(pk) for pk in seats}


def _locked(alarm_id: UUID) -> Alarm:
    found = Alarm.objects.select_for_update().filter(pk=alarm_id).first()
    if found is None:
        raise NotFound("There is no such alarm.")
    return found


def _read(note: str) -> str:
    note = note.strip().replace("\r\n", "\n")
    if len(note) > MAX_NOTE or any(not sign.isprintable() and sign != "\n" for sign in note):
        raise Invalid(f"A note is a text of at most {MAX_NOTE} characters that shows as what it is.")
    return note
