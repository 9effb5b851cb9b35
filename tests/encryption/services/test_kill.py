"""P11: a worker that is killed in the middle of a re-key; the next one goes on without help."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from audit.errors import Later
from audit.models import Entry
from encryption.engines.native import rekey as native
from encryption.engines.native.part import Part
from encryption.models import JobSession, RekeyJob, RestorePoint
from encryption.services import backups, outcomes, steps
from tests.encryption.conftest import FIRST, SECOND, Bench, make_bench
from tests.encryption.services.test_rekeys import opens
from veeamsec.home import Home

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bench(transactional_db: None, vsec_home: Home, tmp_path: Path) -> Bench:
    bench = make_bench(vsec_home, tmp_path)
    bench.rekey("activate", FIRST)
    return bench


def die(*_arguments: Any, **_named: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_in_child(work: Callable[[], object], owner: Any, name: str) -> None:
    """Run `work` in a process of its own that is killed when it comes to `owner.name`."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        setattr(owner, name, die)
        try:
            work()
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the child was not killed where it should have been"
    assert os.WTERMSIG(status) == signal.SIGKILL


def lapse(model: Any) -> None:
    """Let the dead worker's lease run out."""
    model.objects.filter(state="running").update(lease_until=timezone.now())


@pytest.mark.parametrize(
    ("owner", "name", "renamed"),
    [
        (native, "_stream", False),
        (Part, "sync", False),
        (Part, "rename", False),
        (outcomes, "succeed", True),
    ],
    ids=[
        "before the part is written",
        "before the part is complete",
        "before the rename",
        "before the commit",
    ],
)
def test_killed_rekey_resumes(bench, owner, name, renamed):
    """P11: at every place one password opens everything, and the next worker ends the step."""
    point = bench.run()
    rekey = bench.order("change", SECOND)
    step = rekey.steps.get()
    killed_in_child(lambda: steps.run_step(step.pk), owner, name)
    assert [opens(bench, point, FIRST), opens(bench, point, SECOND)] == [not renamed, renamed]
    lapse(RekeyJob)
    steps.run_step(step.pk)
    rekey.refresh_from_db()
    assert rekey.state == "succeeded"
    assert [opens(bench, point, FIRST), opens(bench, point, SECOND)] == [False, True]
    assert [path.name for path in bench.folder.iterdir() if path.suffix == ".part"] == []


def test_killed_activation_resumes(bench, tmp_path):
    """P11: an activation killed before its commit is found done."""
    bench.rekey("deactivate")
    rekey = bench.order("activate")
    step = rekey.steps.get()
    killed_in_child(lambda: steps.run_step(step.pk), outcomes, "succeed")
    lapse(RekeyJob)
    steps.run_step(step.pk)
    bench.job.refresh_from_db()
    assert bench.job.password_id == bench.password


@pytest.mark.parametrize(
    ("owner", "name"), [(Part, "sync"), (backups, "_recorded")], ids=["writing", "named"]
)
def test_killed_run_is_run_again(bench, owner, name):
    session = backups.start_backup(bench.job.pk, by=bench.user)
    killed_in_child(lambda: backups.run_backup(session.pk), owner, name)
    lapse(JobSession)
    backups.run_backup(session.pk)
    session.refresh_from_db()
    assert session.state == "succeeded"
    files = {path.stem for path in bench.folder.glob("*.vsb")}
    assert files == {str(point) for point in RestorePoint.objects.values_list("pk", flat=True)}


def test_run_during_a_killed_rekey_writes_under_the_key_that_is_there(bench):
    """P11: a run takes its key from what the keyring names, also between rename and commit."""
    step = bench.order("change", SECOND).steps.get()
    killed_in_child(lambda: steps.run_step(step.pk), outcomes, "succeed")
    point = bench.run()
    lapse(RekeyJob)
    steps.run_step(step.pk)
    point.refresh_from_db()
    assert point.password_version.number == 2
    assert opens(bench, point, SECOND)


def test_two_workers_with_the_same_step_do_one_rekey(bench):
    """P11: two deliveries at once; one does it, the other waits or finds it done."""
    point = bench.run()
    step = bench.order("change", SECOND).steps.get()

    def deliver() -> str:
        try:
            steps.run_step(step.pk)
        except Later:
            return "later"
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(2) as workers:
        answers = [found.result() for found in [workers.submit(deliver) for _ in range(2)]]
    assert "done" in answers
    assert Entry.objects.filter(event="rekey.job_done").count() == 2
    assert [opens(bench, point, FIRST), opens(bench, point, SECOND)] == [False, True]
