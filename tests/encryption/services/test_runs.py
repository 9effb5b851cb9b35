"""Runs, restores, verification, schedule and retention."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from accounts.errors import NotEligible
from accounts.models import Role
from audit import services as audit
from audit.errors import Later
from audit.models import Alarm, Entry, Outbox
from audit.queue import Task
from encryption.engines.native.datafile import DataFile
from encryption.engines.native.folder import open_folder
from encryption.errors import JobBusy, JobRefused, PlaceRefused
from encryption.models import Job, JobSession, JobUserObjectPermission, Rekey, RestorePoint
from encryption.services import backups, jobs, leases, passwords, retention
from tests.encryption.conftest import make_user

pytestmark = pytest.mark.django_db


def test_second_run_is_busy(bench):
    backups.start_backup(bench.job.pk, by=bench.user)
    with pytest.raises(JobBusy):
        backups.start_backup(bench.job.pk, by=bench.user)


def test_run_rings(bench):
    session = backups.start_backup(bench.job.pk, by=bench.user)
    assert Outbox.objects.filter(name=Task.BACKUP, ref=session.pk).exists()


def test_disabled_job_does_not_run(bench):
    jobs.change_job(bench.job.pk, by=bench.user, state="disabled")
    with pytest.raises(JobRefused):
        backups.start_backup(bench.job.pk, by=bench.user)


def test_auditor_does_not_run(bench):
    with pytest.raises(NotEligible):
        backups.start_backup(bench.job.pk, by=make_user("ada", Role.AUDITOR))


def test_who_is_named_for_a_job_runs_it(bench):
    ada = make_user("ada")
    for name in ("view_job", "run_job"):
        permission = Permission.objects.get(codename=name, content_type__app_label="encryption")
        JobUserObjectPermission.objects.create(user=ada, permission=permission, content_object=bench.job)
    assert backups.start_backup(bench.job.pk, by=ada).asked_by == ada.pk


def test_console_runs(bench):
    assert backups.start_backup(bench.job.pk, by=audit.CONSOLE).asked_by == audit.CONSOLE.pk


def test_chain_has_its_length(bench):
    assert [bench.run().kind for _ in range(4)] == ["full", "increment", "increment", "full"]


def test_chain_that_is_not_whole_is_not_continued(bench):
    first = bench.run()
    (bench.folder / f"{first.pk}.vsb").unlink()
    assert bench.run().kind == "full"


def test_recorded_point_is_never_cleared_away(bench):
    """A session's row that names a restore point of the record removes nothing."""
    point = bench.run()
    session = JobSession.objects.create(job=bench.job, kind="backup", restore_point=point.pk)
    backups.run_backup(session.pk)
    assert (bench.folder / f"{point.pk}.vsb").exists()


def test_full_by_hand(bench):
    bench.run()
    assert bench.run(full=True).kind == "full"


@pytest.mark.alarm("job.failed")
def test_failed_run_says_why(bench):
    """A run that fails ends its session, with an alarm that the next good one takes back."""
    session = backups.start_backup(bench.job.pk, by=bench.user)
    bench.source.rename(bench.source.with_name("away"))
    backups.run_backup(session.pk)
    session.refresh_from_db()
    assert (session.state, bool(session.error)) == ("failed", True)
    assert Alarm.objects.get(kind="job.failed").state == "raised"
    bench.source.with_name("away").rename(bench.source)
    bench.run()
    assert Alarm.objects.get(kind="job.failed").state == "resolved"


def test_activated_job_without_its_keyring_fails_and_writes_nothing_plain(activated):
    """P2: a lost keyring never turns into an unencrypted run."""
    (activated.folder / "keyring").unlink()
    session = backups.start_backup(activated.job.pk, by=activated.user)
    backups.run_backup(session.pk)
    session.refresh_from_db()
    assert (session.state, RestorePoint.objects.count()) == ("failed", 0)


def test_run_into_a_repository_that_is_away_fails(bench):
    bench.folder.parent.rmdir()
    session = backups.start_backup(bench.job.pk, by=bench.user)
    backups.run_backup(session.pk)
    session.refresh_from_db()
    assert (session.state, bench.folder.parent.exists()) == ("failed", False)


def test_run_held_by_another_waits(bench):
    session = backups.start_backup(bench.job.pk, by=bench.user)
    leases.take(JobSession, session.pk)
    with pytest.raises(Later):
        backups.run_backup(session.pk)


def test_finished_run_is_not_run_again(bench):
    point = bench.run()
    backups.run_backup(point.session_id)
    assert RestorePoint.objects.count() == 1


def test_paths_narrow_a_restore(bench, tmp_path):
    bench.write("b.txt")
    restored = bench.restore(bench.run(), tmp_path / "restored", ["b.txt"])
    assert [path.name for path in restored.iterdir()] == ["b.txt"]


def test_restore_outside_the_roots_is_refused(bench):
    point = bench.run()
    with pytest.raises(PlaceRefused):
        backups.start_restore(point.pk, to="/etc/x", by=bench.user)


def test_restore_into_the_repository_is_refused(bench):
    point = bench.run()
    with pytest.raises(PlaceRefused):
        backups.start_restore(point.pk, to=str(bench.folder / "x"), by=bench.user)


def test_restore_into_a_full_folder_fails(bench, tmp_path):
    session = backups.start_restore(bench.run().pk, to=str(bench.source), by=bench.user)
    backups.run_restore(session.pk)
    session.refresh_from_db()
    assert session.state == "failed"


def test_runs_and_restores_wait_for_no_request(activated, tmp_path):
    """Runs and restores never wait for a request, nor for a re-key that is queued."""
    activated.order("change", "copper-Lantern-meadow-62")
    assert (activated.restore(activated.run(), tmp_path / "restored") / "a.txt").exists()


def test_verification_is_noted(activated):
    point = activated.run()
    session = backups.start_verify(point.pk, by=activated.user)
    backups.run_restore(session.pk)
    point.refresh_from_db()
    assert point.verified_at is not None
    assert Entry.objects.filter(event="verify.finished").exists()


def test_schedule_queues_what_is_due(bench):
    jobs.change_job(bench.job.pk, by=bench.user, schedule_minutes=60)
    assert (backups.schedule_due(), backups.schedule_due()) == (1, 0)
    bench.job.refresh_from_db()
    assert bench.job.next_run_at > timezone.now()


def test_session_that_nobody_works_on_is_rung_for(bench):
    session = backups.start_backup(bench.job.pk, by=bench.user)
    Outbox.objects.all().delete()
    JobSession.objects.update(created_at=timezone.now() - timedelta(hours=1))
    backups.schedule_due()
    assert Outbox.objects.filter(name=Task.BACKUP, ref=session.pk).count() == 1


def files(bench) -> set[str]:
    return {path.stem for path in bench.folder.glob("*.vsb")}


def test_retention_drops_whole_chains(bench):
    old = [bench.run() for _ in range(3)]
    new = bench.run()
    Job.objects.update(retention_points=1)
    retention.retire(bench.job.pk)
    assert files(bench) == {str(new.pk)}
    assert {point.pk for point in RestorePoint.objects.filter(dropped_at__isnull=False)} == {
        p.pk for p in old
    }


def test_retention_keeps_everything_when_the_newest_full_does_not_hold(bench):
    """Nothing goes before the full that takes its place was verified."""
    bench.run()
    new = bench.run(full=True)
    path = bench.folder / f"{new.pk}.vsb"
    path.write_bytes(path.read_bytes()[:-1])
    Job.objects.update(retention_points=1)
    assert retention.retire(bench.job.pk) == []
    assert len(files(bench)) == 2


def test_retention_waits_for_a_reader(bench):
    old = bench.run()
    new = bench.run(full=True)
    Job.objects.update(retention_points=1)
    with open_folder(bench.folder) as folder:
        reading = DataFile(folder, old.pk)
        with pytest.raises(Later):
            retention.retire(bench.job.pk)
        reading.close()
    retention.retire(bench.job.pk)
    assert files(bench) == {str(new.pk)}


def test_deactivation_with_delete_drops_encrypted_points_after_a_plain_full(activated):
    activated.run()
    activated.rekey("deactivate", then="delete")
    assert retention.retire(activated.job.pk) == []
    plain = activated.run()
    retention.retire(activated.job.pk)
    assert files(activated) == {str(plain.pk)}


def test_deactivation_with_keep_keeps_them(activated):
    activated.run()
    activated.rekey("deactivate", then="keep")
    activated.run()
    assert retention.retire(activated.job.pk) == []


def test_needed_password_is_not_erased(activated):
    activated.run()
    activated.rekey("deactivate", then="keep")
    assert passwords.selectors.needs_of(activated.password) == [
        "1 restore point of Ledgers open with it alone."
    ]


def test_unneeded_password_is_erased_after_a_read_back(activated):
    """P2, P11: erased only when no keyring and no restore point needs it."""
    activated.rekey("deactivate")
    with audit.act(by=audit.WORKER, subject="request"):
        passwords.delete_within(activated.password, by=audit.WORKER)
    passwords.erase(activated.password)
    version = Rekey.objects.get(action="activate").version
    assert (version.sealed_password, version.sealed_root, activated.head()) == (None, None, "")
