"""Filters by time, as the API takes them."""

from datetime import UTC, datetime

from veeamsec.peer.answers import Query, first, unexpected


def span(query: Query, what: str = "created") -> tuple[datetime | None, datetime | None]:
    """The bounds of `createdAfterFilter` and `createdBeforeFilter`. Raises Refusal (400)."""
    return _moment(query, f"{what}AfterFilter"), _moment(query, f"{what}BeforeFilter")


def within(told: object, bounds: tuple[datetime | None, datetime | None]) -> bool:
    """Whether a moment that the API told lies between the bounds."""
    after, before = bounds
    if not isinstance(told, str):
        return after is None and before is None
    moment = datetime.fromisoformat(told)
    return (after is None or moment >= after) and (before is None or moment < before)


def _moment(query: Query, name: str) -> datetime | None:
    given = first(query, name)
    if given is None:
        return None
    try:
        # A plus sign that was not escaped arrives as a space.
        found = datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError:
        raise unexpected(f"The parameter {name} is not valid.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
