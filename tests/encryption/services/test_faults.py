"""A disk that is full, a share that goes: nothing is half done, and it goes on when the fault has gone."""

import errno

import pytest

from audit.errors import Later
from audit.models import Alarm
from encryption.engines.native.part import Part
from encryption.models import RekeyJob
from encryption.services import backups, leases, steps
from tests.encryption.conftest import SECOND

pytestmark = pytest.mark.django_db


def broken(code: int):
    def fail(*_arguments: object) -> None:
        raise OSError(code, "no")

    return fail


@pytest.mark.parametrize("name", ["sync", "rename", "write"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.ESTALE])
def test_rekey_goes_on_when_the_fault_has_gone(activated, monkeypatch, name, code):
    """P11: a fault at any write leaves the old keyring whole."""
    step = activated.order("change", SECOND).steps.get()
    before = (activated.folder / "keyring").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Part, name, broken(code))
        with pytest.raises(Later):
            steps.run_step(step.pk)
    assert (activated.folder / "keyring").read_bytes() == before
    steps.run_step(step.pk)
    step.refresh_from_db()
    assert step.state == "succeeded"


@pytest.mark.alarm("disk.full")
def test_full_disk_fails_a_run_with_its_own_alarm(bench, monkeypatch):
    session = backups.start_backup(bench.job.pk, by=bench.user)
    monkeypatch.setattr(Part, "sync", broken(errno.ENOSPC))
    backups.run_backup(session.pk)
    session.refresh_from_db()
    assert (session.state, [path.name for path in bench.folder.glob("*.vsb*")]) == ("failed", [])
    assert Alarm.objects.get(kind="disk.full").state == "raised"
    monkeypatch.undo()
    bench.run()


def test_lost_database_stops_the_rename(activated, monkeypatch):
    """P11: a worker that cannot tell whether it still holds its step does not write."""
    step = activated.order("change", SECOND).steps.get()
    before = (activated.folder / "keyring").read_bytes()
    real = leases.Lease.renew

    def fail(self: leases.Lease, **fields: object) -> None:
        if "done" in fields:
            raise ConnectionError("the database has gone")
        real(self, **fields)

    monkeypatch.setattr(leases.Lease, "renew", fail)
    with pytest.raises(Later):
        steps.run_step(step.pk)
    assert (activated.folder / "keyring").read_bytes() == before
    assert RekeyJob.objects.get(pk=step.pk).state == "running"
