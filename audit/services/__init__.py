"""The use cases of the log: `from audit import services as audit`."""

from audit.services.log import Attempt, Subject, act, attempt, record
from audit.services.refusals import refuse_anonymous
from audit.statement import BEAT, CONSOLE, NOBODY, WORKER, Actor, SystemActor

__all__ = [
    "BEAT",
    "CONSOLE",
    "NOBODY",
    "WORKER",
    "Actor",
    "Attempt",
    "Subject",
    "SystemActor",
    "act",
    "attempt",
    "record",
    "refuse_anonymous",
]
