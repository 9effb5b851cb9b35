"""Exceptions: what no executed request explains gets an owner, and is loud until it has one."""

import hashlib
from collections.abc import Collection
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.errors import NotEligible
from accounts.models import Role, User
from audit import services as audit
from audit.alarms import Kind
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from encryption.errors import ServerRefused, Unknown
from encryption.models import Reconciled, VeeamEvent, VeeamServer
from encryption.services.veeam import tellings

AT_ONCE = 200
LONGEST_NOTE = 2000
_FOUR_EYES_OFF, _REFUSED_CHANGE = 42401, 41810
# What changes who can open a backup; the rest is kept, and asks for an owner without noise.
_LOUD = frozenset(
    {
        tellings.ADDED,
        tellings.CHANGED,
        tellings.DELETED,
        tellings.JOB_UPDATED,
        42300,
        42301,
        42302,
        _FOUR_EYES_OFF,
        _REFUSED_CHANGE,
    }
)
# Of a job's other settings, which may be lost with it: then it is loud too.
MEANWHILE = "Edited while an approved change wrote the job, by"
# Enough to find a loud one among them; the alarm names the newest.
_LOOKED_AT = 500


def unowned(server: VeeamServer) -> "QuerySet[Reconciled]":
    """The exceptions of a server that nobody answers for."""
    own = Q(event__server=server) | Q(difference__server=server)
    return Reconciled.objects.filter(own, request=None, owner=None)


def sound_within(server: VeeamServer) -> None:
    """Raise or end the two alarms of a server's exceptions; what opened a drift has the drift's own."""
    rows = unowned(server).filter(event__isnull=False, drift=None).select_related("event")
    loud = rows.filter(event__number__in=_LOUD).order_by("-event__happened_at")[:_LOOKED_AT]
    told = [row.event for row in loud if row.event and _is_loud(row, row.event)]
    _sound(server, Kind.VEEAM_UNEXPLAINED, told)
    tried = rows.filter(event__number=tellings.VERIFIED).order_by("-event__happened_at")[:_LOOKED_AT]
    wrong = [row.event for row in tried if row.event and tellings.says_no_match(row.event)]
    strange = [event for event in wrong if not tellings.same_account(event.user_name, server.account)]
    _sound(server, Kind.VEEAM_VERIFY_FAILED, strange)


def _is_loud(row: Reconciled, event: VeeamEvent) -> bool:
    return tellings.says_encryption(event) or row.why.startswith(MEANWHILE)


def _sound(server: VeeamServer, kind: Kind, events: list[VeeamEvent]) -> None:
    if not events:
        resolve_alarm_within(kind, server)
        return
    newest = events[0]
    text = (
        f"{newest.description or f'Event {newest.number}'} By {newest.user_name or 'nobody named'} at"
        f" {newest.happened_at:%d %b %Y, %H:%M} UTC, from event {newest.number} of {server}."
    )
    raise_alarm_within(kind, server, Alarm.Severity.CRITICAL, text)


def may_answer(user: User) -> bool:
    """Whether a person may own exceptions and hand them out: Security and Backup administrators."""
    standing = user.facts()
    is_administrator = standing.active and standing.is_human and Role.ADMINISTRATOR in standing.roles
    return standing.is_security or is_administrator


def answerable() -> list[User]:
    """Everybody who may own an exception, by name."""
    users = User.objects.filter(is_active=True).select_related("person").order_by("person__name", "pk")
    seated = Q(security_seats__isnull=False, security_seats__until=None)
    granted = Q(role_grants__role=Role.ADMINISTRATOR)
    return [user for user in users.filter(seated | granted).distinct() if may_answer(user)]


def assign(ids: Collection[UUID], *, by: User, owner: UUID, note: str, server: UUID) -> int:
    """Give exceptions of one server their owner, with a note; returns how many.

    Raises NotEligible, ServerRefused, Unknown.

    An exception that has an owner gets another one; both stand in the log.
    """
    with audit.act(by=by, subject="veeam.exception"):
        if not may_answer(by):
            raise NotEligible("Security and Backup administrators give exceptions their owner.")
        person = User.objects.filter(pk=owner).first()
        if person is None or not may_answer(person):
            raise NotEligible("The owner is a member of Security or a Backup administrator.")
        note = note.strip()
        if not 1 <= len(note) <= LONGEST_NOTE:
            raise ServerRefused(f"Say in 1 to {LONGEST_NOTE} characters what was found out.")
        # The log holds no text of a person, but what proves that none was altered.
        digest = hashlib.sha256(note.encode()).hexdigest()
        if not 1 <= len(set(ids)) <= AT_ONCE:
            raise ServerRefused(f"Choose 1 to {AT_ONCE} exceptions.")
        own = Q(event__server=server) | Q(difference__server=server)
        rows = Reconciled.objects.select_for_update(of=("self",)).filter(own, pk__in=ids, request=None)
        found = list(rows.order_by("pk"))
        if len(found) != len(set(ids)):
            raise Unknown("One of these is no exception any more.")
        for row in found:
            facts = {"owner": person.pk, "before": row.owner_id, "note_sha256": digest}
            row.owner, row.note = person, note
            row.save(update_fields=["owner", "note"])
            audit.record(Event.VEEAM_EXCEPTION_ASSIGNED, subject=row, facts=facts)
        sound_within(VeeamServer.objects.get(pk=server))
    return len(found)
