"""System checks of the house."""

from collections.abc import Sequence
from typing import Any

from django.core import checks

from veeamsec.roles import missing_triggers


@checks.register(checks.Tags.database)
def triggers_are_there(databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """E001: a guarded table without its trigger."""
    if not databases:
        return []
    return [
        checks.Error(
            f"The database lacks the trigger {name}.", hint="Run `manage.py setup`.", id="veeamsec.E001"
        )
        for name in missing_triggers()
    ]
