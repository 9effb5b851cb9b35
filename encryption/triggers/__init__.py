"""What PostgreSQL itself refuses about jobs, passwords, re-keys and Veeam servers, as SQL text."""

from accounts.triggers import Trigger
from encryption.triggers import jobs, resting, veeam

__all__ = [
    "ASKERS_SQL",
    "READINGS_SQL",
    "RESTING_SQL",
    "REVOKES",
    "SQL",
    "TRIGGERS",
    "TRIGGER_NAMES",
    "VEEAM_SQL",
]

TRIGGERS: tuple[Trigger, ...] = (
    *jobs.TRIGGERS,
    *jobs.ASKERS,
    *veeam.SERVERS,
    *veeam.READINGS,
    *resting.TRIGGERS,
)
TRIGGER_NAMES = frozenset((trigger.table, trigger.name) for trigger in TRIGGERS)
REVOKES: tuple[str, ...] = (*jobs.REVOKES, *veeam.REVOKES, *resting.REVOKES)

# Apart, for each migration applies what its tables are there for.
SQL = jobs.SQL
ASKERS_SQL = jobs.ASKERS_SQL
VEEAM_SQL = veeam.SQL
READINGS_SQL = veeam.READINGS_SQL
RESTING_SQL = resting.SQL
