"""The worker's part of accounts."""

from uuid import UUID

from accounts.services import security_role
from audit import queue
from audit.queue import Task


@queue.worker(Task.SIGN_ROSTER)
def sign_roster(ref: UUID) -> None:
    """Sign roster 1 and seal the Security Role, when it is time."""
    security_role.sign_roster()
