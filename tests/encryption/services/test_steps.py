"""One step: what its signed order says, and nothing else; errors are judged by the keyring."""

import json
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.services import alarms
from audit.errors import Later, LeaseLost
from audit.models import Alarm, Entry
from encryption.crypto import kdf
from encryption.engines.native.part import Part
from encryption.errors import TargetChanged
from encryption.models import Rekey, RekeyJob
from encryption.services import leases, outcomes, steps
from tests.accounts.factories import make_security
from tests.encryption.conftest import FIRST, SECOND

pytestmark = pytest.mark.django_db


def forge(table: str, **values: object) -> None:
    """Change a row as somebody who owns the database could, past the triggers."""
    columns = ", ".join(f"{name} = %s" for name in values)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"UPDATE {table} SET {columns}", list(values.values()))
        cursor.execute("SET session_replication_role = origin")


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("encryption_rekeyjob", {"user_key": uuid.UUID(int=7)}),
        ("encryption_rekeyjob", {"new_fingerprint": "aa" * 32}),
        ("encryption_rekey", {"scope": "data"}),
        ("encryption_rekey", {"action": "activate"}),
    ],
)
def test_forged_row_moves_nothing(activated, table, values):
    """P5: a step acts on its signed order; a row that differs changes no keyring."""
    step = activated.order("change", SECOND).steps.get()
    before = (activated.folder / "keyring").read_bytes()
    forge(table, **values)
    with pytest.raises(TargetChanged):
        steps.run_step(step.pk)
    assert (activated.folder / "keyring").read_bytes() == before
    assert Entry.objects.filter(event="attempt.refused").exists()


def test_rekey_row_without_an_order_moves_nothing(activated):
    """P5: rows alone, with no signature, move nothing."""
    version = activated.job.password.versions.get()
    rekey = Rekey.objects.create(
        request=uuid.uuid4(), action="change", version=version, order={}, retry_until=timezone.now()
    )
    step = RekeyJob.objects.create(
        rekey=rekey, job=activated.job, user_key=uuid.uuid4(), old_fingerprint="", new_fingerprint="aa" * 32
    )
    with pytest.raises(TargetChanged):
        steps.run_step(step.pk)


def test_version_that_was_altered_is_not_written(activated):
    """P5, P11: other parameters in the row would write a keyring that its password does not open."""
    step = activated.order("change", SECOND).steps.get()
    before = (activated.folder / "keyring").read_bytes()
    other = json.dumps(dict(kdf.new_parameters().to_json()))
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE encryption_passwordversion SET kdf = %s WHERE number = 2", [other])
        cursor.execute("SET session_replication_role = origin")
    with pytest.raises(Later):
        steps.run_step(step.pk)
    assert (activated.folder / "keyring").read_bytes() == before


def test_step_held_by_another_waits(activated):
    step = activated.order("change", SECOND).steps.get()
    leases.take(RekeyJob, step.pk)
    with pytest.raises(Later):
        steps.run_step(step.pk)


def test_lost_lease_commits_nothing(activated):
    """P11: a worker whose step was taken over writes no outcome."""
    step = activated.order("change", SECOND).steps.get()
    lease = leases.take(RekeyJob, step.pk)
    RekeyJob.objects.filter(pk=step.pk).update(fence=lease.fence + 1)
    with pytest.raises(LeaseLost):
        outcomes.fail(step, lease, "too late")
    step.refresh_from_db()
    assert step.state == "running"


def test_paused_worker_that_lost_its_lease_does_not_rename(activated, monkeypatch):
    """P11: a worker that was paused until another took its step over changes no keyring."""
    step = activated.order("change", SECOND).steps.get()
    before = (activated.folder / "keyring").read_bytes()
    sync = Part.sync

    def pause(part: Part) -> None:
        RekeyJob.objects.filter(pk=step.pk).update(fence=99)
        sync(part)

    monkeypatch.setattr(Part, "sync", pause)
    with pytest.raises(LeaseLost):
        steps.run_step(step.pk)
    assert (activated.folder / "keyring").read_bytes() == before


def test_error_with_the_old_key_in_place_is_tried_again(activated):
    step = activated.order("change", SECOND).steps.get()
    damage(activated)
    with pytest.raises(Later):
        steps.run_step(step.pk)
    step.refresh_from_db()
    assert (step.state, "damaged" in step.error) == ("running", True)


@pytest.mark.alarm("rekey.failed")
def test_error_after_the_window_is_failed_and_nothing_changed(activated):
    """P11: failed is written only when the keyring still names the old user key."""
    rekey = activated.order("change", SECOND)
    damage(activated)
    before = (activated.folder / "keyring").read_bytes()
    Rekey.objects.update(retry_until=timezone.now() - timedelta(seconds=1))
    steps.run_step(rekey.steps.get().pk)
    rekey.refresh_from_db()
    assert (rekey.state, rekey.steps.get().state) == ("failed", "failed")
    assert (activated.folder / "keyring").read_bytes() == before
    alarm = Alarm.objects.get(kind="rekey.failed")
    alarms.close(alarm.pk, by=make_security()[0], note="Asked again.", interactive=True)


def test_unreadable_keyring_is_no_failure_but_an_alarm(activated):
    """P11: what cannot be read stays running, past every window."""
    rekey = activated.order("change", SECOND)
    Rekey.objects.update(retry_until=timezone.now() - timedelta(seconds=1))
    (activated.folder / "keyring").rename(activated.folder / "away")
    with pytest.raises(Later):
        steps.run_step(rekey.steps.get().pk)
    assert rekey.steps.get().state == "running"
    assert Alarm.objects.filter(kind="rekey.stuck", state="raised").exists()


@pytest.mark.alarm("rekey.stuck")
def test_keyring_that_comes_back_is_done(activated):
    step = activated.order("change", SECOND).steps.get()
    (activated.folder / "keyring").rename(activated.folder / "away")
    with pytest.raises(Later):
        steps.run_step(step.pk)
    (activated.folder / "away").rename(activated.folder / "keyring")
    steps.run_step(step.pk)
    step.refresh_from_db()
    assert (step.state, Alarm.objects.filter(state="raised").exists()) == ("succeeded", False)


def damage(bench) -> None:
    with (bench.folder / "keyring").open("ab") as file:
        file.write(b'{"restore_point":"x"}\n{"restore_point":"y"}\n')


def test_one_order_may_name_many_jobs(bench, job_maker):
    second = job_maker("Second")
    bench_order = bench.order
    del bench_order
    first = bench.rekey("activate", FIRST)
    bench.job = second
    rekey = bench.rekey("activate")
    assert (first.state, rekey.state) == ("succeeded", "succeeded")
    assert second.password_id == bench.password


def test_activation_again_on_a_damaged_keyring_ends(activated):
    """P11: under the same version nothing would be written; out of time it is over, not tried for ever."""
    activated.rekey("deactivate")
    rekey = activated.order("activate")
    damage(activated)
    Rekey.objects.update(retry_until=timezone.now() - timedelta(seconds=1))
    steps.run_step(rekey.steps.get().pk)
    assert rekey.steps.get().state == "failed"
