"""A password released to a custodian: approved by Security, sealed to their open page, shown once, logged."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.errors import NotEligible
from accounts.models import Person, User
from audit import queue, selectors
from audit import services as audit
from audit.alarms import Kind
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from encryption.crypto import handover
from encryption.errors import Unknown
from encryption.models import PasswordVersion
from encryption.services import vault
from recovery.errors import OutOfTime, Replayed
from recovery.models import Release

VALID = timedelta(days=7)


def grant_within(version: UUID, person: UUID, *, request: UUID) -> Release:
    """Hold a version ready for a custodian, for a week; in the worker's transaction."""
    release = Release.objects.create(
        version_id=version, person_id=person, request=request, expires_at=timezone.now() + VALID
    )
    facts = {"person": person, "version": version, "generated": release.is_first}
    audit.record(Event.PASSWORD_RELEASED, subject=release, facts=facts)
    return release


def open_page(release_id: UUID, public_key: bytes, *, by: User) -> None:
    """Take the key of the custodian's open page; the worker seals to it, once.

    Raises Unknown, NotEligible, OutOfTime, Replayed.
    """
    with audit.act(by=by, subject=("recovery.release", release_id)):
        release = _own(release_id, by)
        if release.public_key is not None:
            raise Replayed("It was opened before, and is shown once: ask for another release.")
        if len(public_key) != handover.POINT_BYTES:
            raise Unknown("This is no key of a page.")
        if not Release.objects.filter(pk=release_id, public_key=None).update(public_key=public_key):
            raise Replayed("It was opened before, and is shown once: ask for another release.")
        queue.ring(queue.Task.RELEASE, release_id)


def seal(release_id: UUID) -> None:
    """Seal the value to the page that asked; as the worker, once."""
    release = (
        Release.objects.select_related("version", "person").filter(pk=release_id, sealed_at=None).first()
    )
    if release is None or release.public_key is None or timezone.now() >= release.expires_at:
        return
    with vault.password_of(release.version) as value:
        bound_to = handover.info(release_id)
        sealed = handover.seal_to_page(bytes(release.public_key), value.reveal(), bound_to)
    with audit.act(by=audit.WORKER, subject=release):
        done = Release.objects.filter(pk=release_id, sealed_at=None)
        if not done.update(sealed=sealed, sealed_at=timezone.now()):
            return
        version = PasswordVersion.objects.select_for_update().get(pk=release.version_id)
        # In the order in which they came to know it.
        version.known_to = list(dict.fromkeys([*version.known_to, str(release.person_id)]))
        version.save(update_fields=["known_to"])
        if not release.is_first:
            text = f"{release.person.name} was given the password “{version.hint}”."
            raise_alarm_within(Kind.PASSWORD_RELEASED, release, Alarm.Severity.WARNING, text)


def take(release_id: UUID, *, by: User) -> handover.Sealed | None:
    """Return what the page opens, once; None while the worker has not sealed it.

    Raises Unknown, NotEligible, OutOfTime, Replayed.
    """
    with audit.act(by=by, subject=("recovery.release", release_id)):
        release = _own(release_id, by)
        if release.taken_at is not None:
            raise Replayed("It was shown before, and is shown once: ask for another release.")
        if release.sealed is None:
            return None
        sealed: handover.Sealed = release.sealed
        with transaction.atomic():
            taken = Release.objects.filter(pk=release_id, taken_at=None)
            if not taken.update(taken_at=timezone.now(), sealed=None):
                raise Replayed("It was shown before, and is shown once: ask for another release.")
        audit.record(Event.RELEASE_TAKEN, facts={"version": release.version_id})
    return sealed


def watch() -> int:
    """End the alarm of every release whose password was changed since, or deleted; return how many."""
    open_ones = selectors.open_alarms().filter(kind=Kind.PASSWORD_RELEASED)
    told = Release.objects.filter(
        pk__in=[UUID(ref) for ref in open_ones.values_list("subject_id", flat=True)]
    )
    ended = list(told.filter(is_over()))
    for release in ended:
        with audit.act(by=audit.WORKER, subject=release):
            resolve_alarm_within(Kind.PASSWORD_RELEASED, release)
    return len(ended)


def is_over() -> Q:
    """Return what holds of a release whose password was changed since, or deleted."""
    newer = PasswordVersion.objects.filter(
        password=OuterRef("version__password"),
        number__gt=OuterRef("version__number"),
        in_force_from__isnull=False,
    )
    gone = Q(version__in_force_until__isnull=False) | Q(version__password__deleted_at__isnull=False)
    return gone | Q(Exists(newer))


def _own(release_id: UUID, by: User) -> Release:
    release = Release.objects.filter(pk=release_id).first()
    if release is None:
        raise Unknown("There is no such release.")
    if release.person_id != by.person_id:
        raise NotEligible("It is handed to its custodian alone.")
    if timezone.now() >= release.expires_at:
        raise OutOfTime("The week to open it is over: ask for another release.")
    return release


def named(person: UUID) -> str:
    """Return a custodian's name. Raises Unknown."""
    found = Person.objects.filter(pk=person).first()
    if found is None:
        raise Unknown("There is no such person.")
    return found.name
