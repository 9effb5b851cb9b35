"""Who holds the web process hides no work that was asked for and removes no alarm."""

import psycopg
import pytest

pytestmark = pytest.mark.django_db

HIDING = {
    "work called done": "UPDATE audit_outbox SET done_at = now()",
    "work put off": "UPDATE audit_outbox SET ring_at = now() + interval '9 years', lease_until = now()",
    "work removed": "DELETE FROM audit_outbox",
    "an alarm removed": "DELETE FROM audit_alarm",
}


@pytest.mark.parametrize("statement", HIDING.values(), ids=HIDING)
def test_p6_the_web_hides_nothing_that_waits(as_role, statement):
    """P6: what was asked for is done or fails in sight."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("web").execute(statement)


def test_alarms_stay_for_the_worker_too(as_role):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("worker").execute("DELETE FROM audit_alarm")
