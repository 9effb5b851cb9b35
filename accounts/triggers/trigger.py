"""The form of one trigger, and of what it calls."""

from typing import NamedTuple


class Trigger(NamedTuple):
    """One trigger: its table, its name, when it fires and what it does."""

    table: str
    name: str
    when: str
    does: str

    @property
    def sql(self) -> str:
        """Return the statements that make it, or replace it."""
        return (
            f"DROP TRIGGER IF EXISTS {self.name} ON {self.table};\n"
            f"CREATE TRIGGER {self.name} {self.when} ON {self.table} {self.does};"
        )


def each_row(function: str, *changed: str) -> str:
    """Return the call of a function for each row, or for each whose `changed` columns differ."""
    # Django writes every column of a row back: only a value that differs counts.
    differs = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in changed)
    return f"FOR EACH ROW {f'WHEN ({differs}) ' if changed else ''}EXECUTE FUNCTION {function}()"


def row(function: str, *changed: str) -> str:
    """Return the call of one of this app's functions for each row."""
    return each_row(f"accounts_{function}", *changed)


def whole_of(function: str) -> str:
    """Return the call of a function for a statement."""
    return f"FOR EACH STATEMENT EXECUTE FUNCTION accounts_{function}()"
