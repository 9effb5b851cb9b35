"""The use cases of the log: `from audit import services as audit`."""

from audit.selectors import name_of
from audit.services.alarms import (
    acknowledge_alarm_within,
    end_incident_within,
    raise_alarm_within,
    resolve_alarm_within,
)
from audit.services.checkpoints import sign_checkpoint
from audit.services.log import Attempt, Subject, act, attempt, record, refuse
from audit.services.names import erase_names
from audit.services.outbox import sweep
from audit.services.refusals import refuse_anonymous
from audit.services.rollbacks import wait_while_older
from audit.services.verification import verify, verify_and_tell
from audit.statement import BEAT, CONSOLE, ENTERPRISE, NOBODY, WORKER, Actor, SystemActor

__all__ = [
    "BEAT",
    "CONSOLE",
    "ENTERPRISE",
    "NOBODY",
    "WORKER",
    "Actor",
    "Attempt",
    "Subject",
    "SystemActor",
    "acknowledge_alarm_within",
    "act",
    "attempt",
    "end_incident_within",
    "erase_names",
    "name_of",
    "raise_alarm_within",
    "record",
    "refuse",
    "refuse_anonymous",
    "resolve_alarm_within",
    "sign_checkpoint",
    "sweep",
    "verify",
    "verify_and_tell",
    "wait_while_older",
]
