"""P2, P5, P6, P9: what the worker does after the yes, and what it refuses."""

import pytest

from approvals.models import State
from approvals.services import execution
from audit.models import Entry
from encryption.models import Rekey
from tests.approvals.conftest import approve, work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roster")]


def test_p2_nothing_happens_before_the_approval(pending):
    """P2"""
    execution.execute(pending.pk)
    assert not Rekey.objects.exists()
    assert Entry.objects.order_by("-sequence").first().event == "message.refused"


def test_an_approved_activation_is_executed(people, pending, job):
    request = work(approve(people.dpo, pending))
    assert request.state == State.EXECUTED, request.outcome
    job.refresh_from_db()
    assert job.password.hint == "Hall 2026"
    assert job.full_next
