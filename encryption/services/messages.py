"""What a worker says to a message about something that nobody asked for: no, by name, in the log."""

from uuid import UUID

from audit import queue
from audit import services as audit
from audit.events import Event


def refuse(task: queue.Task, ref: UUID, reason: str) -> None:
    """Log a message whose row names nothing that this task could do."""
    with audit.act(by=audit.WORKER, subject=("outbox", ref)):
        audit.record(Event.MESSAGE_REFUSED, facts={"task": task.value, "reason": reason})
