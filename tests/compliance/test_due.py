"""When the analyzer runs by itself."""

from datetime import timedelta

import pytest

from audit import services as audit
from audit.events import Event
from compliance.models import Assessment
from compliance.services import analyzing

pytestmark = pytest.mark.django_db(transaction=True)


def tell(event):
    with audit.act(by=audit.WORKER, subject="job"):
        audit.record(event)


@pytest.fixture
def looked_at(people, clock):
    """A first run that is done, then twenty minutes."""
    analyzing.analyze(analyzing.analyze_when_due().pk)
    clock.shift(timedelta(minutes=20))


def test_the_first_run_comes_by_itself(people):
    assert analyzing.analyze_when_due().cause == Assessment.Cause.DAILY


def test_a_run_that_waits_is_enough(people):
    analyzing.analyze_when_due()
    assert analyzing.analyze_when_due() is None


def test_nothing_happened_nothing_is_looked_at(looked_at):
    tell(Event.SIGN_IN_SUCCEEDED)
    assert analyzing.analyze_when_due() is None


def test_a_change_is_looked_at(looked_at):
    tell(Event.DRIFT_FOUND)
    assert analyzing.analyze_when_due().cause == Assessment.Cause.CHANGE


def test_changes_are_collected_for_a_while(looked_at, clock):
    tell(Event.DRIFT_FOUND)
    analyzing.analyze(analyzing.analyze_when_due().pk)
    tell(Event.DRIFT_CLOSED)
    assert analyzing.analyze_when_due() is None
    clock.shift(timedelta(minutes=16))
    assert analyzing.analyze_when_due() is not None


def test_after_a_day_everything_is_looked_at_anyway(looked_at, clock):
    clock.shift(timedelta(hours=24))
    assert analyzing.analyze_when_due().cause == Assessment.Cause.DAILY
