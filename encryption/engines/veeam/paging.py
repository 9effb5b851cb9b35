"""Lists in pages, none of them held for longer than it takes to hand out its entries.

A list moves while it is read: what is deleted before the place that was reached draws the rest forward, and
something would be skipped without a sign. So each page begins with the last entry of the one before, and
where that is missing the reading steps back. An entry that comes twice is handed out once.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from encryption.engines.veeam.reading import Model, text
from encryption.errors import VeeamUnexpected

# How often a list may move, or repeat itself, before the reading is given up.
_PATIENCE = 5


class Page(NamedTuple):
    """A stretch of a list, and how long the whole list is where the server says so."""

    entries: list[Model]
    total: int | None


def entries(fetch: Callable[[int, int], Page], size: int) -> Iterator[Model]:
    """Hand out every entry once; `fetch` takes how many to skip and how many to give.

    Raises VeeamUnexpected for a list that moves faster than it is read, or repeats itself without end.
    """
    recent: deque[str] = deque(maxlen=3 * size)
    start, patience = 0, _PATIENCE
    while patience:
        skip = max(0, start - 1)
        page = fetch(skip, size)
        named = [(_name(entry), entry) for entry in page.entries]
        known = set(recent)
        fresh = [(name, entry) for name, entry in named if name not in known]
        joined = skip == 0 or len(fresh) < len(named)
        repeats = not fresh and _repeats(page, skip, size)
        if not joined or repeats:
            patience -= 1
        elif skip:
            patience = _PATIENCE
        if not joined:
            start = max(0, start - size)
            continue
        recent.extend(name for name, _ in fresh)
        yield from (entry for _, entry in fresh)
        if not repeats and not _more(page, skip, size):
            return
        start = skip + len(named)
    raise VeeamUnexpected("A list of the Veeam server changes while it is read, or repeats itself.")


def _repeats(page: Page, skip: int, size: int) -> bool:
    """Say whether a page that brought nothing new should have, or cannot stand where it claims to."""
    return _more(page, skip, size) or (page.total is not None and skip + len(page.entries) > page.total > 0)


def _more(page: Page, skip: int, size: int) -> bool:
    if not page.entries:
        return False
    return skip + len(page.entries) < page.total if page.total is not None else len(page.entries) >= size


def _name(entry: Model) -> str:
    name = text(entry.get("id"))
    if not name:
        raise VeeamUnexpected("The Veeam server lists something without an id.")
    return name
