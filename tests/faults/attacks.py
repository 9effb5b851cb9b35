"""A re-key or a backup of a job with many restore points that a fault strikes, and what must hold afterwards.

Nobody helps: the sweep rings, the task runs again, and one password opens everything, the job has one badge,
the log verifies. `FAULT_POINTS` and `FAULT_SEED` make the same with more points or other marks.
"""

import os
import random
import sys

import pytest

from audit.queue import Task
from audit.services import verification
from encryption import selectors
from encryption.badge import State
from encryption.models import Attestation, JobSession, PasswordVersion, RekeyJob, RestorePoint
from encryption.services import backups
from tests.encryption.conftest import FIRST, Bench, make_bench
from tests.faults.launcher import Fault, killed
from tests.faults.shelf import fill, line_points, opened_by
from tests.faults.worker import deliver, recover, waiting

POINTS = int(os.environ.get("FAULT_POINTS", "100000"))
SEED = int(os.environ.get("FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
# Between two commits nothing grows with the number of restore points.
FEW = min(POINTS, 2000)
# Twenty kills in two halves, which two cores can share.
REKEY_MARKS, BACKUP_MARKS = 8, 2


@pytest.fixture
def bench(transactional_db, vsec_home, tmp_path, request) -> Bench:
    """An activated job with two real restore points and many more in its keyring."""
    few = "commit" in request.node.name
    bench = make_bench(vsec_home, tmp_path, full_every=1)
    (bench.source / "big").write_bytes(os.urandom(8 * 1024 * 1024))
    rekey = bench.rekey("activate", FIRST)
    bench.attest(rekey)
    for _ in range(2):
        bench.run(full=True)
    fill(bench, FEW if few else POINTS)
    # What was done by hand above still waits in the outbox.
    work(Task.REKEY_JOB)
    work(Task.BACKUP)
    return bench


def say(text: str) -> None:
    """Shown with a failure, and by `make faults-long`."""
    sys.stdout.write(f"{text}\n")


def work(task: Task):
    for row in waiting(task):
        deliver(row)


def rekeyed(bench: Bench, fault: Fault) -> bool:
    """Change the password while the fault strikes, let it be resumed, and check what must hold."""
    former = selectors.current_version(bench.job.pk)
    rekey = bench.order("change", f"copper-Lantern-meadow-{os.urandom(8).hex()}")
    struck = killed(lambda: work(Task.REKEY_JOB), fault)
    head = bench.head()
    step = rekey.steps.get()
    assert head in (step.old_fingerprint, step.new_fingerprint)
    if struck:
        in_force = rekey.version if head == step.new_fingerprint else former
        assert all_open(opened_by(bench, in_force, sample=1000))
    recover(Task.REKEY_JOB)
    step.refresh_from_db()
    assert step.state == RekeyJob.State.SUCCEEDED, step.error
    one_password(bench, rekey.version, former)
    bench.attest(rekey)
    one_badge(bench)
    return struck


def all_open(found: tuple[int, int]) -> bool:
    return found[0] == found[1] >= min(FEW, 1000)


def one_password(bench: Bench, version: PasswordVersion, former: PasswordVersion) -> None:
    assert bench.head() == RekeyJob.objects.get(rekey__version=version).new_fingerprint
    found = opened_by(bench, version)
    assert found[0] == found[1] >= RestorePoint.objects.count()
    assert opened_by(bench, former, sample=1000)[0] == 0
    versions = RestorePoint.objects.order_by().values_list("password_version", flat=True).distinct()
    assert list(versions) == [version.pk]


def one_badge(bench: Bench) -> None:
    assert bench.sign().state == State.APPROVED
    assert Attestation.objects.filter(fingerprint=bench.head()).count() == 1
    assert verification.verify().findings == ()


def backed_up(bench: Bench, fault: Fault) -> bool:
    """Run a backup while the fault strikes, let it be run again, and check what must hold."""
    session = backups.start_backup(bench.job.pk, by=bench.user)
    struck = killed(lambda: work(Task.BACKUP), fault)
    version = selectors.current_version(bench.job.pk)
    assert all_open(opened_by(bench, version, sample=1000))
    recover(Task.BACKUP)
    session.refresh_from_db()
    assert session.state == JobSession.State.SUCCEEDED, session.error
    point = RestorePoint.objects.get(session=session)
    named = {path.stem for path in bench.folder.glob("*.vsb")}
    real = RestorePoint.objects.filter(session__isnull=False)
    assert named == {str(pk) for pk in real.values_list("pk", flat=True)}
    assert not list(bench.folder.glob("*.part"))
    assert set(RestorePoint.objects.values_list("pk", flat=True)) <= line_points(bench)
    backups.run_restore(backups.start_verify(point.pk, by=bench.user).pk)
    point.refresh_from_db()
    assert point.verified_at is not None
    one_badge(bench)
    return struck
