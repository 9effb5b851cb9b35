"""What PostgreSQL itself refuses about people, whoever asks, as SQL text."""

from accounts.triggers import origins, people, suspensions
from accounts.triggers.trigger import Trigger

__all__ = ["ORIGINS_SQL", "REVOKES", "SQL", "SUSPENSIONS_SQL", "TRIGGERS", "TRIGGER_NAMES", "Trigger"]

TRIGGERS: tuple[Trigger, ...] = (*people.TRIGGERS, *suspensions.TRIGGERS, *origins.TRIGGERS)
TRIGGER_NAMES = frozenset((trigger.table, trigger.name) for trigger in TRIGGERS)
REVOKES: tuple[str, ...] = (*people.REVOKES, *suspensions.REVOKES)

# Apart, for each migration applies what its tables are there for.
SQL = people.SQL
SUSPENSIONS_SQL = suspensions.SQL
ORIGINS_SQL = origins.SQL
