"""P6, P11: a clock that jumps, forth or back, loses nothing, doubles nothing and approves nothing."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from approvals.errors import Refused
from approvals.models import State
from approvals.services import deadlines
from audit.models import Outbox
from audit.queue import Task
from audit.services import verification
from encryption import selectors
from encryption.badge import State as Sign
from encryption.models import RekeyJob
from encryption.services import drift, leases, runs
from tests.approvals.conftest import approve, ask, job, make_job, pending, people, transactional, work
from tests.encryption.conftest import FIRST, SECOND, Bench, make_bench
from tests.faults.worker import deliver, recover, sweep, waiting

assert ask, (job, make_job, people, pending, transactional)

pytestmark = pytest.mark.django_db
JUMPS = [timedelta(days=3650), timedelta(hours=-1), timedelta(days=-3650)]


@pytest.fixture
def bench(db, vsec_home, tmp_path) -> Bench:
    """An activated job with a restore point, of somebody who was here before any jump."""
    with time_machine.travel(timezone.now() - timedelta(days=7300)):
        bench = make_bench(vsec_home, tmp_path)
    bench.attest(bench.rekey("activate", FIRST))
    bench.run()
    for row in waiting(Task.REKEY_JOB, Task.BACKUP):
        deliver(row)
    return bench


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_the_last_change_is_the_one_that_holds(bench, jump):
    """P10, P11: the order of changes is that of their commits, whatever the clock said."""
    bench.attest(bench.rekey("change", SECOND))
    with time_machine.travel(timezone.now() + jump):
        changed = bench.rekey("change", "third-Lantern-meadow-93")
        bench.attest(changed)
        bench.run()
        assert selectors.current_version(bench.job.pk) == changed.version
        assert drift.observe(bench.job.pk) == []
        assert bench.sign().state == Sign.APPROVED
    assert drift.observe(bench.job.pk) == []
    assert selectors.current_version(bench.job.pk) == changed.version
    assert verification.verify().findings == ()


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_lease_of_another_time_holds_nobody_up(bench, jump):
    """P11: a worker that died while the clock was wrong is followed once it is right."""
    step = bench.order("change", SECOND).steps.get()
    with time_machine.travel(timezone.now() + jump):
        Outbox.objects.filter(name=Task.REKEY_JOB, done_at=None).update(
            attempts=1,
            lease_until=timezone.now() + leases.LEASE,
            ring_at=timezone.now() + leases.LEASE,
        )
        assert leases.take(RekeyJob, step.pk)
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert sweep(Task.REKEY_JOB) == 1
    recover(Task.REKEY_JOB)
    step.refresh_from_db()
    assert step.state == RekeyJob.State.SUCCEEDED


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_restore_points_keep_their_order(bench, jump):
    """P11: the newest restore point is the one that was written last."""
    with time_machine.travel(timezone.now() + jump):
        second = bench.run()
    third = bench.run()
    assert [point.pk for point in selectors.restore_points(bench.job)[:2]] == [third.pk, second.pk]


def test_p6_what_expired_stays_expired(people, pending):
    """P6: a clock that goes back gives nobody a second week."""
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert deadlines.expire_due() == 1
    pending.refresh_from_db()
    assert pending.state == State.EXPIRED
    with pytest.raises(Refused):
        approve(people.dpo, pending)


def test_p6_a_jump_between_vote_and_execution_executes_nothing(people, pending):
    """P6: the window to execute is over, whoever moved the clock."""
    approve(people.dpo, pending)
    with time_machine.travel(timezone.now() + timedelta(days=3650)):
        work(pending)
    pending.refresh_from_db()
    assert (pending.state, pending.rekey_id) == (State.LAPSED, None)


def test_the_schedule_survives_a_jump(bench):
    """P11: ten years forward start one run, not thousands; an hour back starts none twice."""
    bench.job.schedule_minutes, bench.job.next_run_at = 60, timezone.now()
    bench.job.save(update_fields=["schedule_minutes", "next_run_at"])
    with time_machine.travel(timezone.now() + timedelta(days=3650)):
        assert [runs.schedule_due(), runs.schedule_due()] == [1, 0]
    with time_machine.travel(timezone.now() + timedelta(hours=-1)):
        assert runs.schedule_due() == 0
