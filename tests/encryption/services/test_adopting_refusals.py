"""What an adoption refuses: files that do not hold, by name; places, and people."""

import shutil
import struct
import uuid
from hashlib import sha256
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.errors import NotEligible
from accounts.models import Role
from audit.models import Entry
from encryption.engines.native import keyring as rings
from encryption.errors import JobBusy, JobRefused, PlaceRefused, Unknown
from encryption.models import AdoptedJob, Engine, Job, PasswordVersion, Repository, RestorePoint
from encryption.services import adopting, drift, retention
from tests.encryption.adopted import adopt, prove, settle, whole
from tests.encryption.conftest import FIRST, make_user

pytestmark = pytest.mark.django_db


def refused(row) -> dict[str, str]:
    return {one["what"]: one["why"] for one in row.named}


def test_cut_file_is_named_and_left_out(lost):
    point = min(lost.points)
    path = lost.folder / f"{point}.vsb"
    path.write_bytes(path.read_bytes()[:-5])
    row = adopt(lost)
    assert (row.points, row.unread) == (2, 1)
    assert "cut" in refused(row)[f"{lost.job.pk}/{point}.vsb"]


def test_file_under_another_name_is_named(lost):
    name = uuid.uuid4()
    shutil.copy2(lost.folder / f"{min(lost.points)}.vsb", lost.folder / f"{name}.vsb")
    assert "renamed" in refused(adopt(lost))[f"{lost.job.pk}/{name}.vsb"]


def test_point_without_a_key_line_is_named(lost):
    ring = lost.folder / "keyring"
    point = max(lost.points)
    kept = [line for line in ring.read_bytes().splitlines(True) if str(point).encode() not in line]
    ring.write_bytes(b"".join(kept))
    row = adopt(lost)
    assert "no line" in refused(row)[f"{lost.job.pk}/{point}.vsb"]
    assert point not in whole(lost)


def test_job_with_a_damaged_keyring_is_named_and_not_made(lost):
    (lost.folder / "keyring").write_bytes(b"{}\n")
    row = adopt(lost)
    assert "damaged" in refused(row)[str(lost.job.pk)]
    assert not Job.objects.exists()


def test_encrypted_points_without_a_keyring_are_named(lost):
    (lost.folder / "keyring").unlink()
    row = adopt(lost)
    assert (row.points, row.unread) == (0, 3)
    assert all("no keyring" in why for why in refused(row).values())


def test_keyring_of_another_job_is_named(lost):
    other = uuid.uuid4()
    shutil.copytree(lost.folder, lost.folder.parent / str(other))
    row = adopt(lost)
    assert f"belongs to job {lost.job.pk}" in refused(row)[str(other)]
    assert Job.objects.count() == 1


def test_folder_that_is_a_link_is_named(lost, tmp_path):
    other = uuid.uuid4()
    (tmp_path / "elsewhere").mkdir()
    (lost.folder.parent / str(other)).symlink_to(tmp_path / "elsewhere")
    assert "never a link" in refused(adopt(lost))[str(other)]


def test_what_is_no_jobs_folder_is_named(lost):
    (lost.folder.parent / "notes").mkdir()
    assert "UUID" in refused(adopt(lost))["notes"]


def test_forged_header_is_found_when_the_password_is_proved(lost):
    """A header that was altered whole, with its trailer, holds until a key is there to judge it."""
    point = next(pk for pk, row in lost.points.items() if row.base_id is None)
    path = lost.folder / f"{point}.vsb"
    written = path.read_bytes()
    length = struct.unpack(">I", written[4:8])[0]
    header = written[8 : 8 + length].replace(b'"created":"20', b'"created":"19')
    path.write_bytes(
        written[:8] + header + written[8 + length : -16] + sha256(header).digest()[:8] + written[-8:]
    )
    assert adopt(lost).points == 3
    prove(lost)
    assert whole(lost)[point][0] == "point"


def test_restore_point_that_is_on_record_elsewhere_is_not_taken(lost):
    point = min(lost.points)
    other = Job.objects.create(name="Other", repository=lost.repository, source="/x")
    RestorePoint.objects.create(id=point, job=other, kind="full", created_at=timezone.now(), size=1)
    row = adopt(lost)
    assert "elsewhere" in refused(row)[f"{lost.job.pk}/{point}.vsb"]
    assert (row.points, RestorePoint.objects.get(pk=point).job) == (2, other)


def test_job_that_is_on_record_elsewhere_is_not_taken(lost, tmp_path):
    place = Repository.objects.create(name="Other", location=str(tmp_path / "other"))
    Job.objects.create(id=lost.job.pk, name="Other", repository=place, source="/x")
    row = adopt(lost)
    assert (row.points, "on record in Other" in refused(row)[str(lost.job.pk)]) == (0, True)


def test_keyring_that_only_says_the_same_salt_is_set_apart(lost):
    """Two keyrings with one salt share a version until one password shows that it opens one of them."""
    head = rings.parse_head((lost.folder / "keyring").read_bytes().splitlines()[0])
    other = uuid.uuid4()
    folder = lost.folder.parent / str(other)
    folder.mkdir()
    forged = rings.new_head(other, root=b"x" * 32, user_key=uuid.uuid4(), parameters=head.kdf)
    (folder / "keyring").write_bytes(forged.raw + b"\n")
    adopt(lost)
    assert PasswordVersion.objects.count() == 1
    made = prove(lost)
    assert (made.state, "1 that said so" in made.said) == ("adopted", True)
    assert AdoptedJob.objects.get(pk=other).version.is_unproven
    assert not AdoptedJob.objects.get(pk=lost.job.pk).version.is_unproven
    assert Job.objects.get(pk=other).password != Job.objects.get(pk=lost.job.pk).password


# --- who, and where ---------------------------------------------------------------------------------------


def test_path_outside_the_roots_is_refused(lost, settings):
    settings.VEEAMSEC_ROOTS = [Path("/nowhere")]
    with pytest.raises(PlaceRefused):
        adopting.adopt(lost.repository.pk, by=lost.user)
    assert Entry.objects.filter(event="attempt.refused").exists()


def test_path_that_left_the_roots_is_refused_by_the_worker(lost, settings):
    row = adopting.adopt(lost.repository.pk, by=lost.user)
    settings.VEEAMSEC_ROOTS = [Path("/nowhere")]
    adopting.run_adoption(row.pk)
    row.refresh_from_db()
    assert (row.state, "VEEAMSEC_ROOTS" in row.said, Job.objects.exists()) == ("failed", True, False)


def test_repository_that_is_away_is_said_and_can_be_asked_again(lost):
    away = lost.folder.parent.with_name("away")
    row = adopting.adopt(lost.repository.pk, by=lost.user)
    lost.folder.parent.rename(away)
    adopting.run_adoption(row.pk)
    row.refresh_from_db()
    assert (row.state, row.points) == ("failed", 0)
    away.rename(lost.folder.parent)
    assert adopt(lost).points == 3


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ENTERPRISE])
def test_who_makes_no_jobs_adopts_nothing(lost, role):
    with pytest.raises(NotEligible):
        adopting.adopt(lost.repository.pk, by=make_user("aude", role))


def test_who_sees_no_repository_hears_of_none(lost):
    with pytest.raises(Unknown):
        adopting.adopt(lost.repository.pk, by=make_user("nemo"))


def test_veeam_server_is_not_adopted(bench):
    place = Repository.objects.create(name="There", engine=Engine.VEEAM, location="https://v:9419")
    with pytest.raises(JobRefused):
        adopting.adopt(place.pk, by=bench.user)


def test_one_reading_at_a_time(lost):
    adopting.adopt(lost.repository.pk, by=lost.user)
    with pytest.raises(JobBusy):
        adopting.adopt(lost.repository.pk, by=lost.user)


def test_job_that_is_on_record_is_left_to_the_drifts(activated):
    point = activated.run()
    RestorePoint.objects.filter(pk=point.pk).update(size=1)
    shutil.copy2(activated.folder / f"{point.pk}.vsb", activated.folder / f"{uuid.uuid4()}.vsb")
    row = adopt(activated)
    assert (row.jobs, row.points, RestorePoint.objects.count()) == (0, 0, 1)


def test_changed_keyring_of_an_adopted_job_is_a_drift(lost):
    adopt(lost)
    ring = lost.folder / "keyring"
    kept = ring.read_bytes()
    ring.write_bytes(kept.replace(b'"generation":1', b'"generation":2'))
    assert drift.observe(lost.job.pk) == ["keyring.changed"]
    assert "not the keyring on record" in refused(adopt(lost))[f"{lost.job.pk}/keyring"]


def test_nothing_retires_before_it_is_opened(lost):
    """P13: what builds on what is not known yet."""
    adopt(lost)
    Job.objects.update(retention_points=1)
    assert retention.retire(lost.job.pk) == []
    assert RestorePoint.objects.filter(dropped_at=None).count() == 3


def test_every_step_is_in_the_log(lost):
    adopt(lost)
    prove(lost)
    events = list(Entry.objects.order_by("sequence").values_list("event", flat=True))
    wanted = ["adoption.started", "job.adopted", "points.adopted", "adoption.ended", "password.offered"]
    assert [event for event in events if event in wanted] == wanted
    assert {"password.proved", "points.opened"} <= set(events)
    assert FIRST not in str(list(Entry.objects.values()))


def test_settling_a_job_that_was_made_here_does_nothing(activated):
    activated.run()
    before = whole(activated)
    settle()
    assert whole(activated) == before
