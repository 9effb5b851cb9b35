"""What VeeamSec itself did at a Veeam server, each with the executed request that authorised it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.models import User
from audit.events import Event
from audit.models import Entry
from encryption import rules
from encryption.models import (
    EncryptionPassword,
    PasswordVersion,
    RekeyJob,
    VeeamAdoption,
    VeeamDifference,
    VeeamEvent,
    VeeamPassword,
    VeeamServer,
)

# Two machines, two clocks.
SKEW = timedelta(minutes=5)
# What a step may cause there, and what a deletion may.
_OF_A_STEP = frozenset({31600, 31700, 31850, 23050})
_OF_A_DELETION = frozenset({31800, 31850})
# A deletion and the execution of its request are entries of one transaction, close behind each other.
_NEAR = 8

What = VeeamDifference.What


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that we did, on what, and when; `ends` None: it is under way."""

    request: UUID
    numbers: frozenset[int]
    begins: datetime
    ends: datetime | None

    def covers(self, number: int, at: datetime) -> bool:
        """Whether an event of this number and time may be of this deed."""
        last = self.ends + SKEW if self.ends else None
        return number in self.numbers and self.begins - SKEW <= at and (last is None or at <= last)


class Deeds:
    """The deeds at one server since a moment, by the id there of what they touched."""

    def __init__(self, server: VeeamServer, since: datetime) -> None:
        self._of: dict[str, set[Deed]] = defaultdict(set)
        self.busy = False
        steps = RekeyJob.objects.filter(job__veeam__server=server).select_related(
            "rekey__version__password__veeam", "job__veeam"
        )
        self.busy = steps.filter(state=RekeyJob.State.RUNNING).exists()
        for step in steps.filter(started_at__isnull=False).exclude(ended_at__lt=since - SKEW):
            self._note(step)
        for password, request, at in deletions(server, since - SKEW):
            self._of[str(password)].add(Deed(request, _OF_A_DELETION, at - SKEW, at + SKEW))

    def request_of(self, subject: str, number: int, at: datetime) -> UUID | None:
        """The request whose deed an event of our own account tells of; the nearest, where two could be it."""
        found = [deed for deed in self._of.get(subject, ()) if deed.covers(number, at)]
        nearest = sorted(found, key=lambda deed: (abs(deed.begins - at), str(deed.request)))
        return nearest[0].request if nearest else None

    def _note(self, step: RekeyJob) -> None:
        if step.started_at is None:
            return
        deed = Deed(step.rekey.request, _OF_A_STEP, step.started_at, step.ended_at)
        version = step.rekey.version
        known = getattr(version.password, "veeam", None) if version is not None else None
        touched = (step.job.veeam.external, step.proof.get("password"), known.external if known else None)
        for subject in filter(None, touched):
            self._of[str(subject).lower()].add(deed)


def adopter_of(event: VeeamEvent) -> User | None:
    """The account that offered a value at the time of a verification of ours: then it was tried for them."""
    offers = VeeamAdoption.objects.filter(
        password__veeam__server=event.server_id,
        password__veeam__external__in=[event.subject] if _is_uuid(event.subject) else [],
        asked_at__lte=event.happened_at + SKEW,
        done_at__gte=event.happened_at - SKEW,
    )
    asked_by = offers.order_by("-asked_at").values_list("asked_by", flat=True).first()
    return User.objects.filter(pk=asked_by).first() if asked_by else None


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def deletions(server: VeeamServer, since: datetime) -> Iterable[tuple[UUID, UUID, datetime]]:
    """Passwords that executed requests deleted: the id there, the request, and when.

    The deletion there comes before the request's end is written, so either's time counts.
    """
    known = dict(
        VeeamPassword.objects.filter(server=server, password__deleted_at__isnull=False).values_list(
            "password_id", "external"
        )
    )
    said = (Event.PASSWORD_DELETED, Event.VEEAM_PASSWORD_REMOVED)
    entries = Entry.objects.filter(
        event__in=said, time__gte=since, subject_id__in=[str(pk) for pk in known]
    ).order_by("sequence")
    found = list(entries)
    requests = {entry.subject_id: request for entry in found if (request := _request_of(entry))}
    for entry in found:
        if entry.subject_id in requests:
            yield known[UUID(entry.subject_id)], requests[entry.subject_id], entry.time


def _request_of(entry: Entry) -> UUID | None:
    if named := entry.facts.get("request"):
        return UUID(named)
    beside = Entry.objects.filter(
        event=Event.REQUEST_EXECUTED,
        time=entry.time,
        sequence__range=(entry.sequence - _NEAR, entry.sequence + _NEAR),
    )
    executed = beside.values_list("subject_id", flat=True).first()
    return UUID(executed) if executed else None


def request_of_difference(difference: VeeamDifference) -> UUID | None:
    """The executed request that left what a reading found: by what was read back, never by words."""
    if difference.what == What.JOB_ENCRYPTION:
        return _of_a_job(difference)
    if difference.password_id is None:
        return None
    if difference.what == What.PASSWORD_DELETED:
        return _of_a_deletion(difference)
    rows = PasswordVersion.objects.filter(password=difference.password_id, request__isnull=False)
    if difference.what == What.PASSWORD_HINT:
        rows = rows.filter(hint=difference.after.get("hint"))
    elif difference.what in (What.PASSWORD_ADDED, What.PASSWORD_CHANGED) and difference.happened_at:
        # By Veeam's own clock: the moment that the step read back after its change.
        rows = rows.filter(in_force_from=difference.happened_at)
    else:
        return None
    return rows.order_by("-number").values_list("request", flat=True).first()


def _of_a_job(difference: VeeamDifference) -> UUID | None:
    fingerprint = difference.after.get("fingerprint")
    steps = RekeyJob.objects.filter(job=difference.job_id, state=RekeyJob.State.SUCCEEDED)
    last = steps.select_related("rekey").order_by("-ended_at").first()
    if last is None or "gone" in difference.after or rules.key_of(last) != fingerprint:
        return None
    # Back to what an old request left is a change of its own: it happened after the reading before.
    if difference.after_time and last.ended_at and last.ended_at < difference.after_time - SKEW:
        return None
    request: UUID = last.rekey.request
    return request


def _of_a_deletion(difference: VeeamDifference) -> UUID | None:
    if difference.password_id is None:
        return None
    password: Any = EncryptionPassword.objects.filter(pk=difference.password_id).first()
    if password is None or password.deleted_at is None:
        return None
    known = VeeamPassword.objects.filter(password=password).values_list("external", flat=True).first()
    return next(
        (
            request
            for external, request, _ in deletions(difference.server, password.deleted_at - SKEW)
            if external == known
        ),
        None,
    )
