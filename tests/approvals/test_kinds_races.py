"""P3: two legal removals at once, on two real connections."""

import pytest

from accounts.models import Roster, SecurityMember
from approvals.models import ApprovalRequest, State
from approvals.services import execution
from tests.approvals.conftest import approve, sign_roster
from tests.approvals.governing import asked, seat
from tests.approvals.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_p3_two_legal_removals_in_parallel_do_not_both_pass(people):
    """P3: each was legal when it was asked and approved."""
    sign_roster(people)
    requests = [
        approve(people.dpo, asked("remove_security_member", people.administrator, member=seat(user).pk))
        for user in (people.ciso, people.third)
    ]
    at_once(*(lambda request=request: execution.execute(request.pk) for request in requests))
    # Whoever found that the roster has moved comes again, as the outbox lets it.
    for request in ApprovalRequest.objects.filter(state=State.APPROVED):
        execution.execute(request.pk)
    states = sorted(ApprovalRequest.objects.values_list("state", flat=True))
    assert states == [State.EXECUTED, State.STALE]
    assert SecurityMember.objects.filter(until=None).count() == 2
    assert Roster.objects.count() == 2
