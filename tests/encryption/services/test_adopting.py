"""A repository whose rows are lost is adopted: read by its format, trusted no further than it verifies."""

import shutil

import pytest

from audit.models import Alarm, Entry
from encryption import badge
from encryption.engines.native import finding
from encryption.errors import JobRefused, PlaceRefused
from encryption.models import Job, PasswordVersion, RestorePoint
from encryption.services import backups, drift, jobs, runs
from tests.encryption.adopted import adopt, forget, prove, whole
from tests.encryption.conftest import SECOND

pytestmark = pytest.mark.django_db


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


def test_proved_password_is_judged(lost):
    adopt(lost)
    assert (PasswordVersion.objects.get().length, PasswordVersion.objects.get().strength) == (0, 0)
    prove(lost)
    assert PasswordVersion.objects.get().length > 0


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
    monkeypatch.setattr("encryption.services.offers.MOST", 1)
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


def test_second_line_of_a_key_that_does_not_open_hides_nothing(lost):
    keyring = lost.folder / "keyring"
    line = keyring.read_bytes().splitlines()[-1]
    at = line.index(b'"wrapped":"') + len(b'"wrapped":"')
    other = b"B" if line[at : at + 1] == b"A" else b"A"
    with keyring.open("ab") as file:
        file.write(line[:at] + other + line[at + 1 :] + b"\n")
    adopt(lost)
    assert prove(lost).state == "adopted"
    assert "point" not in {kind for kind, *_ in whole(lost).values()}


def test_what_came_later_is_adopted_later(lost):
    kept = lost.folder.parent.parent / f"{min(lost.points)}.vsb"
    shutil.move(lost.folder / kept.name, kept)
    assert adopt(lost).points == 2
    prove(lost)
    shutil.move(kept, lost.folder / kept.name)
    assert adopt(lost).points == 1
    assert "point" not in {kind for kind, *_ in whole(lost).values()}


def test_only_a_batch_is_held_at_once(lost, monkeypatch):
    monkeypatch.setattr(finding, "BATCH", 2)
    sizes = [len(batch) for batch in finding.read_points(lost.folder)]
    assert sizes == [2, 1]
