"""What a test promises that is marked with `pytest.mark.alarm`: it raises that alarm, and the alarm ends."""

from audit.alarms import Kind
from audit.events import Event
from audit.models import Entry


def _told(event: Event, kind: Kind) -> set[str]:
    found = Entry.objects.filter(event=event)
    return {entry.facts["alarm"] for entry in found if entry.facts["kind"] == kind}


def assert_ended(name: str) -> None:
    """Assert that the log tells of an alarm of a kind, and of the end of each. ValueError for no kind."""
    kind = Kind(name)
    raised = _told(Event.ALARM_RAISED, kind)
    assert raised, f"{kind} was never raised"
    assert raised == _told(Event.ALARM_CLOSED, kind), f"{kind} was raised and did not end"
