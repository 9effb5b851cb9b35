"""What workers and beat call, by name; each makes one call."""

from uuid import UUID

from audit import queue
from encryption.services import (
    adopting,
    backups,
    drift,
    forwarding,
    guarding,
    offering,
    passwords,
    placing,
    protection,
    retention,
    steps,
    watching,
)
from encryption.services.leases import LEASE
from encryption.services.veeam import imports, looking, reconciliation, surroundings


@queue.worker(queue.Task.REKEY_JOB, lease=LEASE)
def rekey_job(step: UUID) -> None:
    """Do or resume one job's step of a re-key."""
    steps.run_step(step)


@queue.worker(queue.Task.BACKUP, lease=LEASE)
def backup(session: UUID) -> None:
    """Run a backup."""
    backups.run_backup(session)


@queue.worker(queue.Task.RESTORE, lease=LEASE)
def restore(session: UUID) -> None:
    """Run a restore or a verification."""
    backups.run_restore(session)


@queue.worker(queue.Task.COVER, lease=LEASE)
def cover(session: UUID) -> None:
    """Wrap a job's existing storage keys for the keyset in force."""
    protection.run_cover(session)


@queue.worker(queue.Task.FORWARD)
def forward(forwarder: UUID) -> None:
    """Send the log on to one collector."""
    forwarding.run(forwarder)


@queue.beat(queue.Task.ERASE_RECOVERED)
def erase_recovered() -> None:
    """Erase the keys of recoveries whose time is over."""
    protection.erase_expired()


@queue.worker(queue.Task.RETENTION)
def retire(job: UUID) -> None:
    """Drop what a job need not keep."""
    retention.retire(job)


@queue.worker(queue.Task.ERASE_SECRET)
def erase(password: UUID) -> None:
    """Erase the versions of a deleted password that nothing needs any more."""
    passwords.erase(password)


@queue.worker(queue.Task.VEEAM_ADOPT)
def adopt(offer: UUID) -> None:
    """Try a value that somebody typed, at Veeam or at the keyrings that were adopted."""
    offering.prove(offer)


@queue.worker(queue.Task.ADOPT_REPOSITORY)
def adopt_repository(adoption: UUID) -> None:
    """Read a repository for what is not on record."""
    adopting.run_adoption(adoption)


@queue.worker(queue.Task.SETTLE_ADOPTED)
def settle_adopted(job: UUID) -> None:
    """Place a job's adopted restore points in their chains."""
    placing.settle(job)


@queue.beat(queue.Task.SCHEDULE)
def schedule() -> None:
    """Queue the runs whose time has come."""
    backups.schedule_due()


@queue.beat(queue.Task.WATCH_JOBS)
def watch() -> None:
    """Raise or end the alarms about missed runs and copies that lie behind."""
    watching.watch()


@queue.beat(queue.Task.OBSERVE)
def observe() -> None:
    """Compare every job's folder with the record."""
    drift.observe_all()


@queue.beat(queue.Task.WATCH_KEYS)
def watch_keys() -> None:
    """See whether the worker's master key is to be had."""
    guarding.watch_worker()


@queue.worker(queue.Task.VEEAM_LOOK)
def look_at_certificate(look: UUID) -> None:
    """Read the certificate of a server that may become one of ours."""
    looking.look(look)


@queue.worker(queue.Task.VEEAM_IMPORT)
def import_server(server: UUID) -> None:
    """Read a Veeam server."""
    imports.run_import(server)


@queue.worker(queue.Task.VEEAM_ANALYZE)
def analyze_server(server: UUID) -> None:
    """Start Veeam's own analyzer."""
    surroundings.analyze(server)


@queue.beat(queue.Task.VEEAM_RECONCILE)
def reconcile() -> None:
    """Say of every event and difference of Veeam servers where it belongs."""
    reconciliation.reconcile_all()


@queue.beat(queue.Task.VEEAM_OBSERVE)
def observe_servers() -> None:
    """Ring for the import of every Veeam server."""
    imports.import_due()
