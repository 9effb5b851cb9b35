"""Restore points and the passwords that they need, told by time."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from encryption.engines.veeam.inventory import Point
from encryption.models import (
    EncryptionPassword,
    Job,
    PasswordVersion,
    Rekey,
    RekeyJob,
    RestorePoint,
    VeeamEvent,
    VeeamJob,
    VeeamServer,
)
from encryption.services.veeam import imports, points
from tests.encryption.veeam.standin import days, name_of

pytestmark = pytest.mark.django_db


def test_a_point_older_than_the_password_needs_an_earlier_value(there, read):
    there.add_job("Mail", there.add_password("Gold", at=days(10)))
    there.point("Mail", days(5))
    there.point("Mail", days(15))
    read()
    assert bound("Mail") == [("Gold", 1), ("Gold", 2)]
    earlier = PasswordVersion.objects.get(number=1)
    assert (earlier.in_force_from, earlier.in_force_until, earlier.sealed_password) == (None, days(10), None)


def test_without_older_points_there_is_one_version(there, read):
    there.add_job("Mail", there.add_password("Gold", at=days(10)))
    there.point("Mail", days(15))
    read()
    assert bound("Mail") == [("Gold", 1)]


def test_a_change_is_not_retroactive(there, read):
    there.add_job("Mail", there.add_password("Gold"))
    there.point("Mail", days(1))
    read()
    there.change(name_of("Gold"), "other-Value-20", days(2))
    there.point("Mail", days(1.9))
    there.point("Mail", days(3))
    read()
    assert bound("Mail") == [("Gold", 1), ("Gold", 1), ("Gold", 2)]


def test_the_newest_password_opens_the_whole_chain_of_an_agent(there, read):
    there.add_job("Laptop", there.add_password("Gold"), kind="WindowsAgentBackup")
    there.point("Laptop", days(1))
    read()
    there.change(name_of("Gold"), "other-Value-20", days(2))
    there.point("Laptop", days(3))
    read()
    assert bound("Laptop") == [("Gold", 2), ("Gold", 2)]


def test_until_its_next_run_an_agent_keeps_the_former_password(there, read):
    there.add_job("Laptop", there.add_password("Gold"), kind="LinuxAgentBackup")
    there.point("Laptop", days(1))
    read()
    there.change(name_of("Gold"), "other-Value-20", days(2))
    read()
    assert bound("Laptop") == [("Gold", 1)]


def test_an_agent_does_not_open_what_lies_before_a_plain_point(there, read):
    laptop = there.add_job("Laptop", there.add_password("Gold"), kind="WindowsAgentBackup")
    there.point("Laptop", days(1))
    read()
    job = VeeamJob.objects.get()
    there.encrypt(laptop, None)
    told(job, days(2))
    there.point("Laptop", days(3))
    read()
    there.encrypt(laptop, there.add_password("Silver"))
    told(job, days(4))
    there.point("Laptop", days(5))
    read()
    assert bound("Laptop") == [("Gold", 1), None, ("Silver", 1)]


def test_points_of_a_plain_job_need_nothing(there, read):
    there.add_job("Mail")
    there.point("Mail", days(1))
    read()
    assert bound("Mail") == [None]


def test_another_password_counts_from_when_the_syslog_tells(there, read):
    there.add_job("Mail", there.add_password("Gold"))
    read()
    there.encrypt(name_of("Mail"), there.add_password("Silver"))
    told(VeeamJob.objects.get(), days(4))
    there.point("Mail", days(3))
    there.point("Mail", days(5))
    read()
    assert bound("Mail") == [("Gold", 1), ("Silver", 1)]


def test_an_import_asks_for_what_is_new_only(there, read):
    there.add_job("Mail", there.add_password("Gold"))
    there.point("Mail", days(1))
    read()
    there.asked.clear()
    read()
    assert [what for what in there.asked if what.endswith("points")] == ["new points"]


def test_what_a_full_list_does_not_show_is_gone(there, read, server):
    there.add_job("Mail", there.add_password("Gold"))
    there.point("Mail", days(1))
    there.point("Mail", days(2))
    read()
    there.points.pop(0)
    read()
    assert RestorePoint.objects.filter(dropped_at=None).count() == 2
    VeeamServer.objects.update(listed_at=timezone.now() - imports.FULL_LIST)
    read()
    assert RestorePoint.objects.get(dropped_at=None).created_at == days(2)


def test_a_point_that_is_listed_again_is_back(there, read):
    there.add_job("Mail", there.add_password("Gold"))
    there.point("Mail", days(1))
    read()
    RestorePoint.objects.update(dropped_at=timezone.now())
    VeeamServer.objects.update(listed_at=None)
    read()
    assert RestorePoint.objects.filter(dropped_at=None).count() == 1


def test_a_job_that_lost_its_backup_keeps_its_points(there, read):
    mail = there.add_job("Mail", there.add_password("Gold"))
    there.point("Mail", days(1))
    read()
    del there.models[mail]
    there.backup("Mail backup", None)
    VeeamServer.objects.update(listed_at=None)
    read()
    assert bound("Mail") == [("Gold", 1)]
    assert not VeeamJob.objects.filter(type="orphaned").exists()


def test_a_full_is_estimated_by_the_newest_point_of_each_object(there, read):
    there.add_job("Mail", there.add_password("Gold"))
    there.point("Mail", days(1), "vm1", 500)
    there.point("Mail", days(9), "vm1", 700)
    there.point("Mail", days(9.1), "vm2", 300)
    read()
    assert VeeamJob.objects.get().full_bytes == 1000


@pytest.mark.parametrize(("after", "waits"), [(-1, True), (1, False)])
def test_a_change_takes_hold_with_the_first_point_after_it(there, read, after, waits):
    there.add_job("Mail", there.add_password("Gold"))
    read()
    job = Job.objects.get()
    executed_at = timezone.now()
    activated(job, executed_at)
    there.point("Mail", executed_at + timedelta(minutes=after))
    read()
    job.refresh_from_db()
    assert job.full_next is waits


def test_points_of_a_job_under_a_step_wait(there, read, server):
    there.add_job("Mail", there.add_password("Gold"))
    there.point("Mail", days(1))
    read()
    until = server.points_until
    step = activated(Job.objects.get(), None)
    there.point("Mail", days(3))
    assert read().points_until == until
    assert RestorePoint.objects.count() == 1
    RekeyJob.objects.filter(pk=step.pk).update(state="failed", ended_at=days(4))
    read()
    assert RestorePoint.objects.count() == 2


def test_live_points_are_counted_by_version(there, read):
    there.add_job("Mail", there.add_password("Gold", at=days(10)))
    for day in (5, 6, 15):
        there.point("Mail", days(day))
    read()
    first, second = PasswordVersion.objects.order_by("number")
    assert VeeamJob.objects.get().tally == {str(first.pk): 2, str(second.pk): 1}
    there.points.clear()
    VeeamServer.objects.update(listed_at=None)
    read()
    assert VeeamJob.objects.get().tally == {}


def test_a_point_without_a_backup_is_nobodys(there, read):
    there.points.append(Point(uuid.uuid4(), "vm", days(1), None, "Full", 1, None, None, ()))
    read()
    assert not RestorePoint.objects.exists()


def test_a_spool_gives_back_what_it_was_given():
    server, backup, external = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    made = days(1) + timedelta(microseconds=123456)
    one = Point(external, "vm", made, backup, "Full", 42, None, None, ())
    with points.spool(server, [one], lambda _done: None) as spooled:
        assert list(spooled.rows()) == [(uuid.uuid5(server, str(external)), backup, made, 42)]


def bound(job: str) -> list[tuple[str, int] | None]:
    """The passwords and versions of a job's live points, oldest first."""
    rows = RestorePoint.objects.filter(job__name=job, dropped_at=None).order_by("created_at")
    versions = [point.password_version for point in rows.select_related("password_version__password")]
    return [(one.password.hint, one.number) if one else None for one in versions]


def told(job: VeeamJob, at) -> None:
    """The syslog told of a change of a job; then it was read."""
    VeeamServer.objects.update(compared_at=at - timedelta(hours=1))
    VeeamEvent.objects.create(
        server=job.server,
        number=23050,
        happened_at=at,
        peer="10.0.0.1",
        transport="udp",
        subject=str(job.external),
        digest=uuid.uuid4().hex,
    )


def activated(job: Job, at) -> RekeyJob:
    """An activation that was executed, or that is under way."""
    Job.objects.filter(pk=job.pk).update(full_next=True)
    version = PasswordVersion.objects.get(password=EncryptionPassword.objects.get())
    rekey = Rekey.objects.create(
        request=uuid.uuid4(), action="activate", version=version, order={}, retry_until=timezone.now()
    )
    done = {"state": "succeeded", "started_at": at, "ended_at": at} if at else {"state": "running"}
    return RekeyJob.objects.create(rekey=rekey, job=job, old_fingerprint="", new_fingerprint="", **done)
