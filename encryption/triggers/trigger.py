"""How this app's triggers call its functions."""

from accounts.triggers.trigger import each_row

# Of a whole statement.
WHOLE = "FOR EACH STATEMENT EXECUTE FUNCTION encryption_refuse()"


def row(function: str, *changed: str) -> str:
    """Return the call of a function for each row, or for each whose `changed` columns differ."""
    return each_row(f"encryption_{function}", *changed)
