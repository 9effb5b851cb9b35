"""Who works on a step or a session: a lease with a fencing number, renewed by progress and by a heartbeat.

A worker that was paused or cut off finds its number taken and stops; the one that took it reads from
the files how far the work had come.
"""

import contextvars
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit import queue
from audit.errors import Later, LeaseLost
from encryption.models import JobSession, RekeyJob

LEASE = timedelta(seconds=60)
# Pages poll; the database need not hear more often.
_TELL_SECONDS = 1.0
_QUEUE_SECONDS = 20.0
_BEAT_SECONDS = 15.0

Leased = type[RekeyJob] | type[JobSession]


class Lease:
    """The right to write for one row, as long as nobody else took it."""

    def __init__(self, model: Leased, row: UUID, fence: int) -> None:
        self._model = model
        self.row = row
        self.fence = fence
        self._told = time.monotonic()
        self._queued = self._told
        self._lost = False

    def tell(self, **progress: Any) -> None:
        """Store progress and renew, at most once a second. Raises LeaseLost."""
        if time.monotonic() - self._told >= _TELL_SECONDS:
            self.renew(**progress)

    def renew(self, **fields: Any) -> None:
        """Renew now, with what the row should show. Raises LeaseLost when another worker took over."""
        held = self._model._default_manager.filter(pk=self.row, fence=self.fence, state="running")
        if self._lost or not held.update(lease_until=timezone.now() + LEASE, **fields):
            self._lost = True
            raise LeaseLost(f"{self._model.__name__} {self.row} was taken over")
        self._told = time.monotonic()
        if self._told - self._queued >= _QUEUE_SECONDS:
            queue.renew()
            self._queued = self._told

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew in the background while a block works, for work that is long between two signs of progress.

        A process that is killed or stopped does not beat; one that lost its lease hears it at its progress.
        """
        ended, context = Event(), contextvars.copy_context()
        beat = Thread(target=context.run, args=(self._beat, ended), name="lease", daemon=True)
        beat.start()
        try:
            yield
        finally:
            ended.set()
            beat.join()

    def _beat(self, ended: Event) -> None:
        try:
            while not ended.wait(_BEAT_SECONDS):
                try:
                    self.renew()
                except LeaseLost:
                    return
                except DatabaseError:
                    # Should it last, the lease runs out, and the next progress says so.
                    connection.close()
        finally:
            connection.close()

    def check_within(self) -> None:
        """Lock the row in the caller's transaction. Raises LeaseLost when it is not ours any more."""
        held = self._model._default_manager.select_for_update().filter(pk=self.row)
        if not held.filter(fence=self.fence, state="running").exists():
            raise LeaseLost(f"{self._model.__name__} {self.row} was taken over")


def take(model: Leased, row: UUID) -> Lease | None:
    """Take an open row that nobody holds, and begin or go on; None when it has ended.

    Raises Later when another worker holds it: it may yet die.
    """
    with transaction.atomic():
        rows = model._default_manager.select_for_update().filter(pk=row, state__in=["queued", "running"])
        found = rows.values_list("fence", "lease_until").first()
        if found is None:
            return None
        fence, held_until = found
        now = timezone.now()
        # A lease that reaches further than any is one of a clock that was set back since: nobody holds it.
        if held_until is not None and now < held_until <= now + LEASE:
            raise Later(max(held_until - now, timedelta(seconds=1)))
        rows.update(state="running", fence=fence + 1, lease_until=now + LEASE)
    return Lease(model, row, fence + 1)
