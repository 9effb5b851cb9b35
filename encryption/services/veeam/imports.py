"""The import of a Veeam server, in the worker: all of it the first time, afterwards what is new.

The network comes first, the database after it; nothing there is changed. A server that is away says so on its
row and by an alarm, and keeps no other waiting.
"""

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from audit import queue
from audit import services as audit
from audit.events import Event
from audit.models import Outbox
from encryption.engines.veeam.client import VeeamClient
from encryption.engines.veeam.inventory import Point
from encryption.errors import EngineError
from encryption.models import Job, RekeyJob, RestorePoint, VeeamServer
from encryption.services.veeam import (
    enforcement,
    events,
    observing,
    owners,
    points,
    reading,
    servers,
    surroundings,
)
from encryption.services.veeam.explaining import Explaining
from encryption.services.veeam.points import Spool
from encryption.services.veeam.reading import Reading

# A restore point has the time at which its run began, and is listed when that ends: a long full takes a day.
OVERLAP = timedelta(days=1)
# Only a full list shows what retired.
FULL_LIST = timedelta(hours=6)
_TELL_SECONDS = 1.0
_RENEW_SECONDS = 20.0


def import_due() -> None:
    """Ring for every server that is not disconnected and that nobody reads already."""
    waiting = Outbox.objects.filter(name=queue.Task.VEEAM_IMPORT, done_at=None)
    asked = set(waiting.values_list("ref", flat=True))
    for server in VeeamServer.objects.exclude(mode=VeeamServer.Mode.OFF).select_related("repository"):
        if server.pk not in asked:
            with audit.act(by=audit.BEAT, subject=server.repository):
                queue.ring(queue.Task.VEEAM_IMPORT, server.pk)


def run_import(repository_id: UUID) -> None:
    """Read a server and write down what is new; whatever goes wrong there is told on its row."""
    rows = VeeamServer.objects.exclude(mode=VeeamServer.Mode.OFF).select_related("repository")
    server = rows.filter(pk=repository_id).first()
    if server is None:
        return
    try:
        with servers.client_for(server) as client:
            _import(server, client)
    except (EngineError, OSError) as error:
        observing.note_away(server, error)
    finally:
        # Whatever ended it, a page need not wait for it any longer.
        VeeamServer.objects.filter(pk=server.pk).exclude(progress={}).update(progress={})


def _import(server: VeeamServer, client: VeeamClient) -> None:
    telling = Telling(server)
    _recognise(server, client)
    events.claim(server)
    around = surroundings.read(client, server)
    VeeamServer.objects.filter(pk=server.pk).update(**around)
    found = reading.read(client, telling)
    if server.imported_at is None:
        # What the oldest restore point needs says whether a password had another value before.
        with points.spool(server.pk, client.restore_points(), telling.of("restore points")) as spooled:
            ages = owners.oldest_of(found, spooled.oldest)
            explaining = observing.note(server, client, found, oldest=ages)
            _write_points(server, found, spooled, explaining, telling, is_full=True)
    else:
        explaining = observing.note(server, client, found)
        is_full = _is_full_due(server, found.began_at)
        listed = _points(client, server, is_full)
        with points.spool(server.pk, listed, telling.of("restore points")) as spooled:
            _write_points(server, found, spooled, explaining, telling, is_full=is_full)


def _recognise(server: VeeamServer, client: VeeamClient) -> None:
    """Note which installation answers, and how. Raises VeeamUntrusted for another one than before."""
    info = servers.identify(server, client)
    fields: dict[str, Any] = {"revision": client.revision[:20], "tls_version": client.tls_version[:20]}
    if info.vbr_id is not None:
        fields |= {"build": info.build[:40], "vbr_id": info.vbr_id, "vbr_name": info.name[:255]}
    if info.name and not server.syslog_name:
        fields["syslog_name"] = info.name[:255]
    for name, value in fields.items():
        setattr(server, name, value)
    VeeamServer.objects.filter(pk=server.pk).update(**fields)


def _is_full_due(server: VeeamServer, now: datetime) -> bool:
    return server.points_until is None or server.listed_at is None or now - server.listed_at >= FULL_LIST


def _points(client: VeeamClient, server: VeeamServer, is_full: bool) -> Iterable[Point]:
    if is_full or server.points_until is None:
        return client.restore_points()
    return client.restore_points(server.points_until - OVERLAP)


def _write_points(
    server: VeeamServer,
    found: Reading,
    spooled: Spool,
    explaining: Explaining,
    telling: "Telling",
    *,
    is_full: bool,
) -> None:
    backups = owners.note_backups(server, found)
    mine, agents = owners.owners(server, backups, explaining.busy_jobs)
    points.bind(spooled, mine, telling.of("binding"))
    points.rebind_agents(agents)
    gone = points.retire(server, spooled, found.began_at) if is_full else 0
    points.count(server)
    points.estimate(spooled, mine)
    _clear_full_next(server)
    with audit.act(by=audit.WORKER, subject=server.repository):
        locked = servers.locked(server.pk)
        if locked.imported_at is None:
            locked.imported_at = found.began_at
            audit.record(Event.VEEAM_IMPORTED, facts=_counts(found, spooled))
        elif gone:
            audit.record(Event.VEEAM_POINTS_GONE, facts={"count": gone})
        # Restore points of a job that a step works on were left out: they are read once more.
        if not explaining.busy_jobs and spooled.newest is not None:
            locked.points_until = max(spooled.newest, locked.points_until or spooled.newest)
        if is_full:
            locked.listed_at = found.began_at
        locked.progress = {}
        locked.save(update_fields=["imported_at", "points_until", "listed_at", "progress"])
        enforcement.note_within(locked)


def _counts(found: Reading, spooled: Spool) -> dict[str, int]:
    return {
        "backups": len(found.backups),
        "jobs": len(found.jobs),
        "passwords": len(found.passwords),
        "repositories": len(found.places),
        "restore_points": spooled.count,
    }


def _clear_full_next(server: VeeamServer) -> None:
    """Note for which jobs an executed change took hold: a restore point was made after it."""
    waiting = Job.objects.filter(repository=server.pk, full_next=True).values_list("pk", flat=True)
    steps = RekeyJob.objects.filter(job__in=list(waiting), state=RekeyJob.State.SUCCEEDED)
    for step in steps.order_by("job_id", "-ended_at").distinct("job_id"):
        since = step.started_at or step.ended_at
        if RestorePoint.objects.filter(job=step.job_id, dropped_at=None, created_at__gt=since).exists():
            Job.objects.filter(pk=step.job_id, full_next=True).update(full_next=False)


class Telling:
    """How far an import has come, for the page that waits for it; the outbox row is renewed beside."""

    def __init__(self, server: VeeamServer) -> None:
        self._server = server.pk
        self._began = f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}"
        self._told = 0.0
        self._renewed = time.monotonic()
        self._phase = ""

    def __call__(self, phase: str, done: int) -> None:
        """Store a phase at once, and its progress each second. Raises LeaseLost."""
        now = time.monotonic()
        if phase == self._phase and now - self._told < _TELL_SECONDS:
            return
        self._phase, self._told = phase, now
        said = {"began": self._began, "done": done, "phase": phase, "total": None}
        VeeamServer.objects.filter(pk=self._server).update(progress=said)
        if now - self._renewed >= _RENEW_SECONDS:
            queue.renew()
            self._renewed = now

    def of(self, phase: str) -> Callable[[int], None]:
        """Return what tells of one phase."""
        return lambda done: self(phase, done)
