"""The log's own periodic tasks."""

from audit import queue
from audit.queue import Task
from audit.services import checkpoints, forwarding, outbox, verification, watching


@queue.beat(Task.SWEEP)
def sweep() -> None:
    """Ring for work whose bell was lost."""
    outbox.sweep()


@queue.beat(Task.CHECKPOINT)
def checkpoint() -> None:
    """Sign the head of the log if there is news."""
    checkpoints.sign_checkpoint()


@queue.beat(Task.VERIFY)
def verify() -> None:
    """Verify the whole log and tell."""
    verification.verify_when_due()


@queue.beat(Task.WATCH)
def watch() -> None:
    """Raise or end the alarms about the outbox and the log's seals."""
    watching.watch()


@queue.beat(Task.COPY_CHECKPOINTS)
def copy_checkpoints() -> None:
    """Copy the log's seals to the folder outside."""
    watching.copy_checkpoints()


@queue.beat(Task.WATCH_FORWARDERS)
def watch_forwarders() -> None:
    """Ring for forwarders that nobody rings for, and tell of those behind."""
    forwarding.watch()
