"""The tables in docs/events.md and docs/alarms.md, as the code has them; `make events` writes them."""

from audit.alarms import Kind
from audit.events import Event
from tests.house.sources import ROOT
from veeamsec.pages.entries import WORDS

EVENTS, ALARMS = ROOT / "docs" / "events.md", ROOT / "docs" / "alarms.md"
HEADING = "## The list\n\n"


def events() -> str:
    """The events by their numbers."""
    rows = ["| number | event | severity | Veeam | what it tells |", "| --- | --- | --- | --- | --- |"]
    for event in sorted(Event, key=lambda event: event.number):
        words = WORDS[event][2]
        rows.append(
            f"| {event.number} | `{event.value}` | {event.severity} | {event.veeam or ''} | {words} |"
        )
    return "\n".join(rows) + "\n"


def alarms() -> str:
    """The alarms in the order of their kinds."""
    rows = ["| alarm | what is wrong | what helps | told to | ends |", "| --- | --- | --- | --- | --- |"]
    for kind in Kind:
        ends = "Security, with a note" if kind.incident else "by itself"
        ends += f", or {kind.amends}" if kind.amends else ""
        rows.append(f"| `{kind.value}` | {kind.heading} | {kind.todo} | {kind.concerns} | {ends} |")
    return "\n".join(rows) + "\n"


def write() -> None:
    """Write both tables into their pages."""
    for path, table in ((EVENTS, events()), (ALARMS, alarms())):
        path.write_text(path.read_text().partition(HEADING)[0] + HEADING + table)
