"""The roots of every "no": what a use case refuses, and what the log itself cannot do."""

from datetime import datetime, timedelta
from uuid import UUID


class Refused(Exception):
    """A use case said no. The refusal is logged, and the edge turns `code` into an answer.

    `message` says in plain words what happened and what to do; it enters the log for ever and so holds no
    secret and no person's name. `facts` are values that a client or a log reader can use.
    """

    code = "invalid"

    def __init__(self, message: str, **facts: str | int | bool | UUID | datetime | None) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts

    def __str__(self) -> str:
        return self.message


class LogAltered(Refused):
    """The log contradicts what was signed of it."""

    code = "stale"


class AuditUnavailable(Exception):
    """The log cannot be written; whatever was about to happen does not."""


class Later(Exception):
    """Raised by a task whose time has not come: its outbox row waits, and no error is counted."""

    def __init__(self, after: timedelta) -> None:
        super().__init__(f"again in {after.total_seconds():.0f} s")
        self.after = after


class LeaseLost(Exception):
    """Another worker holds this outbox row now; the one that raises this must stop."""


class Forged(Exception):
    """A signature, proof or signed text does not hold; the text says which."""


class KeyUnavailable(Exception):
    """A key file is missing, unreadable, or readable by others."""


class NotReceived(Exception):
    """A receiver of forwarded entries did not take a batch; the text says why, in words of ours alone."""
