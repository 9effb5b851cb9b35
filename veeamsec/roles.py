"""The database's own refusals: who may do what to which table, and the triggers that must be there."""

from importlib import import_module, util
from types import ModuleType

from django.apps import apps
from django.db import connection
from django.db.backends.utils import CursorWrapper

SERVANTS = "veeamsec_web, veeamsec_worker"


class TriggersDiffer(Exception):
    """The database lacks a trigger of ours; nothing may run on it."""


def apply_grants(cursor: CursorWrapper) -> None:
    """Give web and worker what they need of every table, then take back what each app's `REVOKES` names."""
    for statement in (
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        # A temporary table would stand before ours of that name in the triggers' own queries.
        f"DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC, {SERVANTS}',"
        " current_database()); END $$",
        f"GRANT USAGE ON SCHEMA public TO {SERVANTS}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {SERVANTS}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {SERVANTS}",
        f"REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {SERVANTS}",
        *(statement for module in trigger_modules() for statement in module.REVOKES),
    ):
        cursor.execute(statement)


def missing_triggers() -> list[str]:
    """Triggers that an app names and the database lacks or has switched off, as `table.trigger`."""
    wanted = {pair for module in trigger_modules() for pair in module.TRIGGER_NAMES}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND n.nspname = current_schema()"
        )
        found = set(cursor.fetchall())
    return sorted(f"{table}.{name}" for table, name in wanted - found)


def assert_triggers() -> None:
    """Refuse to go on without every trigger. Raises TriggersDiffer."""
    if missing := missing_triggers():
        raise TriggersDiffer(f"The database lacks {', '.join(missing)}; run `manage.py setup`.")


def trigger_modules() -> list[ModuleType]:
    """The `triggers` module of each app that has one."""
    names = [f"{config.name}.triggers" for config in apps.get_app_configs()]
    return [import_module(name) for name in names if util.find_spec(name)]
