"""Loss protection as the worker applies it: wrapped for the keyset in force, covered later, opened again."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import NAMESPACE_OID, UUID, uuid5

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from audit import queue
from audit import services as audit
from audit.errors import Refused
from audit.events import Event
from encryption import selectors
from encryption.crypto import providers
from encryption.crypto.encoding import canonical, from_base64, to_base64
from encryption.engines.base import Opens, Protection
from encryption.engines.native.opening import GivenKeys
from encryption.engines.native.protection import Guard
from encryption.engines.registry import engine_for
from encryption.errors import EngineError, JobBusy, JobRefused, Unknown
from encryption.models import Engine, JobSession, KeysetGuard, RecoveredKeys, RestorePoint
from encryption.services import endings, leases, messages, resting, runs, vault
from encryption.services.resting import Column

COLUMN = Column(RecoveredKeys, "sealed", lambda row: "storage keys")


def in_force() -> Protection | None:
    """Return what new restore points are also wrapped for; None while no keyset is active. As the worker."""
    guards = list(KeysetGuard.objects.filter(until=None))
    if not guards:
        return None
    key = providers.load_server(settings.WORKER_KEYS)
    return Protection(
        server_id(key.public_key().public_bytes_raw()),
        key,
        tuple(Guard(one.keyset, one.suite, bytes(one.public)) for one in guards),
    )


def server_id(signing_key: bytes) -> UUID:
    """Return the id of the backup server with this signing key: made once, with the key."""
    return uuid5(NAMESPACE_OID, f"veeamsec-server:{to_base64(signing_key)}")


def start_cover(job_id: UUID, *, by: User) -> JobSession:
    """Ask that a job's existing restore points be wrapped for the keyset in force; no data is read.

    Raises JobBusy, JobRefused without a keyset in force or for another engine, NotEligible, Unknown.
    """
    with audit.act(by=by, subject=("encryption.job", job_id)):
        job = runs.locked(job_id, by, "run")
        if job.repository.engine != Engine.NATIVE:
            raise JobRefused("Its own Enterprise Manager protects what Veeam writes, not this one.")
        if not KeysetGuard.objects.filter(until=None).exists():
            raise JobRefused("No keyset is in force: generate one, and ask to activate it.")
        if JobSession.objects.filter(job=job, kind="cover", state__in=JobSession.OPEN).exists():
            raise JobBusy("This job is being covered already.")
        session = JobSession.objects.create(job=job, kind=JobSession.Kind.COVER, asked_by=by.pk)
        queue.ring(queue.Task.COVER, session.pk)
        audit.record(Event.COVER_STARTED, facts={"session": session.pk})
    return session


def run_cover(session_id: UUID) -> None:
    """Cover, or go on covering, what a session names. Raises Later while another worker holds it."""
    row = JobSession.objects.select_related("job__repository").filter(pk=session_id, kind="cover").first()
    if row is None:
        messages.refuse(queue.Task.COVER, session_id, "no such session")
        return
    lease = leases.take(JobSession, row.pk)
    if lease is None:
        return
    try:
        with lease.kept():
            written = _cover(row, lease)
    except (EngineError, Refused, OSError) as error:
        endings.failed(row, lease, error, Event.COVER_FAILED)
        return
    with audit.act(by=audit.WORKER, subject=row.job):
        lease.check_within()
        endings.end_within(row, [])
        audit.record(Event.COVER_FINISHED, facts={"session": row.pk, "restore_points": written})


def _cover(row: JobSession, lease: leases.Lease) -> int:
    protection = in_force()
    if protection is None:
        raise JobRefused("No keyset is in force any more.")
    points = RestorePoint.objects.filter(job=row.job, dropped_at=None, storage_key__isnull=False)
    ids = list(points.order_by("created_at").values_list("pk", flat=True))
    return engine_for(row.job.repository).cover(
        row.job_id,
        ids,
        keys=vault.roots(row.job_id),
        protection=protection,
        progress=lambda done: lease.tell(done_files=done),
    )


def keep_within(case: UUID, keys: Mapping[UUID, bytes], points: Iterable[UUID], expires_at: datetime) -> None:
    """Hold the storage keys of a recovery, sealed; joins the worker's transaction."""
    text = canonical({str(storage_key): to_base64(key) for storage_key, key in keys.items()})
    row = RecoveredKeys(case=case, points=sorted(str(point) for point in points), expires_at=expires_at)
    row.sealed = resting.sealed(COLUMN, row, text)
    row.save(force_insert=True)


def given_by(case: UUID) -> GivenKeys:
    """Return the storage keys of a recovery. Raises Unknown when they were erased or their time is over."""
    held = RecoveredKeys.objects.filter(pk=case, erased_at=None, expires_at__gt=timezone.now()).first()
    if held is None or held.sealed is None:
        raise Unknown("The keys of this recovery are not held any more: make a new request.")
    return GivenKeys(_keys_in(held))


def held_for(job: UUID) -> GivenKeys | None:
    """Return the storage keys that recoveries hold for a job's restore points, None where they hold none."""
    found: dict[UUID, bytes] = {}
    for held in selectors.recovered_keys(job):
        found |= _keys_in(held)
    return GivenKeys(found) if found else None


def _keys_in(held: RecoveredKeys) -> dict[UUID, bytes]:
    keys = json.loads(resting.opened(COLUMN, held))
    return {UUID(name): from_base64(key, 32) for name, key in keys.items()}


def opens_of(row: JobSession, point: RestorePoint) -> Opens | None:
    """Return what opens a restore point for a session: its password's root, or the keys of a recovery."""
    case = row.wish.get("case")
    if case is not None:
        return given_by(UUID(case))
    return vault.roots(point.job_id) if point.storage_key else None


def erase_expired() -> None:
    """Erase the keys of recoveries whose time is over."""
    gone = RecoveredKeys.objects.filter(erased_at=None, expires_at__lte=timezone.now())
    for case in list(gone.values_list("pk", flat=True)):
        with audit.act(by=audit.BEAT, subject=("recovery.case", case)):
            RecoveredKeys.objects.filter(pk=case, erased_at=None).update(
                sealed=None, erased_at=timezone.now()
            )
            audit.record(Event.SECRET_ERASED)
