"""A repository whose rows are lost is adopted: read by its format, trusted no further than it verifies."""

import shutil
import struct
import uuid
from hashlib import sha256
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.errors import NotEligible
from accounts.models import Role
from audit.models import Alarm, Entry
from encryption import badge
from encryption.engines.native import finding
from encryption.engines.native import keyring as rings
from encryption.errors import JobBusy, JobRefused, PlaceRefused, Unknown
from encryption.models import AdoptedJob, Engine, Job, PasswordVersion, Repository, RestorePoint
from encryption.services import adopting, backups, drift, jobs, retention, runs
from tests.encryption.adopted import adopt, forget, prove, settle
from tests.encryption.conftest import FIRST, SECOND, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost(activated):
    """Three encrypted restore points, a full and two increments, of which no row is left."""
    points = [activated.run() for _ in range(3)]
    activated.points = {point.pk: point for point in points}
    forget()
    return activated


def whole(bench) -> dict:
    """What the record says of restore points."""
    fields = ("kind", "base_id", "created_at", "size", "storage_key")
    rows = RestorePoint.objects.filter(job=bench.job.pk)
    return {row.pk: tuple(getattr(row, name) for name in fields) for row in rows}


def test_jobs_and_restore_points_are_on_record_again(lost):
    row = adopt(lost)
    assert (row.state, row.jobs, row.points, row.unread, row.named) == ("done", 1, 3, 0, [])
    assert set(whole(lost)) == set(lost.points)


def test_adopted_job_does_not_run_by_itself(lost):
    adopt(lost)
    job = Job.objects.get()
    assert (job.pk, job.state, job.source, job.next_run_at) == (lost.job.pk, "disabled", "", None)
    with pytest.raises(JobRefused, match="disabled"):
        runs.start_backup(job.pk, by=lost.user)


def test_p10_nobody_approved_it_so_no_sign_is_given(lost):
    adopt(lost)
    assert badge.badge(Job.objects.get()).state == "unapproved"


def test_no_password_becomes_known(lost, tmp_path):
    adopt(lost)
    version = PasswordVersion.objects.get()
    assert (version.is_unproven, version.known_to, Job.objects.get().password) == (True, [], version.password)
    session = runs.start_restore(min(lost.points), to=str(tmp_path / "out"), by=lost.user)
    backups.run_restore(session.pk)
    session.refresh_from_db()
    assert session.state == "failed"
    assert "Nobody here has proved to know" in session.error


def test_what_only_the_key_verifies_is_not_believed_before(lost):
    """A header's kind is bound to a key that nobody gave."""
    adopt(lost)
    assert {(kind, base) for kind, base, *_ in whole(lost).values()} == {("point", None)}


def test_typed_password_opens_places_and_restores(lost, tmp_path):
    adopt(lost)
    assert prove(lost).state == "adopted"
    expected = {
        pk: (point.kind, point.base_id, point.created_at.replace(microsecond=0), point.size)
        for pk, point in lost.points.items()
    }
    found = {
        pk: (kind, base, at.replace(microsecond=0), size)
        for pk, (kind, base, at, size, _) in whole(lost).items()
    }
    assert found == expected
    tip = max(lost.points.values(), key=lambda point: point.created_at)
    to = lost.restore(RestorePoint.objects.get(pk=tip.pk), tmp_path / "out")
    assert (to / "a.txt").read_text() == "hello"


def test_proved_password_is_approved_by_nobody(lost):
    adopt(lost)
    prove(lost)
    assert badge.badge(Job.objects.get()).state == "unapproved"
    assert drift.observe(lost.job.pk) == []


@pytest.mark.alarm("password.not_proved")
def test_wrong_password_is_forgotten_and_alarmed_until_the_right_one(lost):
    adopt(lost)
    made = prove(lost, SECOND)
    assert (made.state, made.sealed, PasswordVersion.objects.get().is_unproven) == ("wrong", None, True)
    assert Alarm.objects.get(kind="password.not_proved").state == "raised"
    prove(lost)
    assert Alarm.objects.get(kind="password.not_proved").state == "resolved"


def test_many_tries_in_an_hour_are_refused(lost, monkeypatch):
    adopt(lost)
    monkeypatch.setattr("encryption.services.veeam.adoption.MOST", 1)
    prove(lost, SECOND)
    with pytest.raises(JobRefused, match="many tries"):
        prove(lost)


def test_held_password_is_not_asked_for(lost):
    adopt(lost)
    prove(lost)
    with pytest.raises(JobRefused, match="held here already"):
        prove(lost)


def test_new_password_after_the_proof_goes_through_the_normal_change(lost):
    adopt(lost)
    prove(lost)
    lost.password = Job.objects.get().password_id
    rekey = lost.rekey("change", SECOND)
    assert rekey.state == "succeeded"
    lost.attest(rekey)
    assert lost.sign().state in ("approved", "next_run")
    assert set(RestorePoint.objects.values_list("password_version", flat=True)) == {rekey.version_id}


def test_adopted_job_is_taken_up_with_a_source(lost):
    adopt(lost)
    prove(lost)
    jobs.change_job(
        lost.job.pk, by=lost.user, name="Ledgers", source=str(lost.source), state=Job.State.ACTIVE
    )
    assert lost.run().kind == "full"


def test_adopted_job_is_renamed_before_it_has_a_source(lost):
    adopt(lost)
    assert jobs.change_job(lost.job.pk, by=lost.user, name="Ledgers").name == "Ledgers"
    with pytest.raises(PlaceRefused):
        jobs.change_job(lost.job.pk, by=lost.user, state=Job.State.ACTIVE)


def test_plain_restore_points_are_placed_at_once(bench):
    points = {point.pk: point.base_id for point in (bench.run(), bench.run())}
    forget()
    adopt(bench)
    assert {pk: base for pk, (_, base, *_) in whole(bench).items()} == points
    assert (Job.objects.get().password, badge.badge(Job.objects.get()).state) == (None, "plain")


def test_again_is_the_same(lost):
    adopt(lost)
    before, entries = whole(lost), Entry.objects.filter(event="points.adopted").count()
    row = adopt(lost)
    assert (row.jobs, row.points, whole(lost)) == (0, 0, before)
    assert Entry.objects.filter(event="points.adopted").count() == entries


def test_what_came_later_is_adopted_later(lost):
    kept = lost.folder.parent.parent / f"{min(lost.points)}.vsb"
    shutil.move(lost.folder / kept.name, kept)
    assert adopt(lost).points == 2
    prove(lost)
    shutil.move(kept, lost.folder / kept.name)
    assert adopt(lost).points == 1
    assert "point" not in {kind for kind, *_ in whole(lost).values()}


def test_killed_in_the_middle_it_goes_on(lost, monkeypatch):
    monkeypatch.setattr(finding, "BATCH", 1)
    put, calls = adopting._Reading._put_points, []

    def dying(self, job, found):
        calls.append(job)
        if len(calls) == 2:
            raise SystemExit
        put(self, job, found)

    monkeypatch.setattr(adopting._Reading, "_put_points", dying)
    row = adopting.adopt(lost.repository.pk, by=lost.user)
    with pytest.raises(SystemExit):
        adopting.run_adoption(row.pk)
    assert RestorePoint.objects.count() == 1
    adopting.run_adoption(row.pk)
    row.refresh_from_db()
    assert (row.state, row.jobs, row.points) == ("done", 1, 3)
    assert set(whole(lost)) == set(lost.points)


def test_only_a_batch_is_held_at_once(lost, monkeypatch):
    monkeypatch.setattr(finding, "BATCH", 2)
    sizes = [len(batch) for batch in finding.read_points(lost.folder)]
    assert sizes == [2, 1]


# --- what does not hold, by name --------------------------------------------------------------------------


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
