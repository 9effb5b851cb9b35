"""Checks over a house of our own engine: what is well passes, what is broken is found and named."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from approvals.services import execution, requests
from compliance.checks import Status
from compliance.services import analyzing
from encryption.models import RestorePoint
from encryption.services import backups, drift, jobs, runs
from recovery.models import CustodyRecord, Keyset
from recovery.services import custody
from tests.approvals.conftest import CUSTODY, SECRET, answers, approve, run, work
from tests.compliance.there import analyzed, texts
from tests.encryption.adopted import adopt, forget
from tests.encryption.conftest import activated, bench  # noqa: F401

pytestmark = pytest.mark.django_db
COPIES = [
    {"medium": medium, "place": place, "offsite": away, "offline": away, "custodian": custodian}
    for medium, place, away, custodian in (
        ("paper", "bank safe", True, "Carl"),
        ("chip card", "office safe", False, "Dora"),
        ("paper", "second house", True, "Tess"),
    )
]


@pytest.mark.finds(
    "unable_to_detect",
    "custody.copies",
    "custody.drilled",
    "custody.proved",
    "data.copies",
    "data.immutable",
    "drift.explained",
    "jobs.encrypted",
    "passwords.approved",
    "passwords.leavers",
    "passwords.old_needed",
    "passwords.rotated",
    "passwords.shared",
    "points.approved",
    "recovery.expiring",
    "recovery.exported",
    "requests.by_security",
)
@pytest.mark.finds("not_implemented", "log.outside", "recovery.protection")
def test_of_nothing_nothing_is_detected(people):
    assert analyzed(people)["jobs.encrypted"].summary == "There is no job yet."


@pytest.mark.finds(
    "passed",
    "drift.explained",
    "jobs.encrypted",
    "passwords.approved",
    "passwords.leavers",
    "passwords.old_needed",
    "passwords.rotated",
    "passwords.shared",
    "passwords.strength",
    "points.approved",
    "recovery.expiring",
    "recovery.protection",
    "requests.by_security",
)
@pytest.mark.finds(
    "not_implemented",
    "custody.copies",
    "custody.proved",
    "data.copies",
    "data.immutable",
    "data.restores",
    "recovery.exported",
)
def test_an_approved_job_passes(people, encrypted):
    assert texts(analyzed(people)["data.copies"]) == ["Files: no copy of it elsewhere is known."]


@pytest.mark.finds("passed", "data.immutable", "data.restores", "recovery.exported")
def test_what_was_mended_passes(people, encrypted, decided):
    decided("export_keyset", keyset=Keyset.objects.get().pk, passphrase="a passphrase long enough")
    point = RestorePoint.objects.order_by("-created_at").first()
    session = runs.start_verify(point.pk, by=people.operator)
    backups.run_restore(session.pk)
    jobs.change_repository(encrypted.repository_id, by=people.operator, immutable=True)
    assert analyzed(people)["data.restores"].good == 1


@pytest.mark.finds("passed", "data.copies")
def test_a_job_of_the_same_source_in_another_repository_is_a_copy(people, job, vsec_home):
    place = jobs.create_repository(
        by=people.operator, name="Second", location=str(vsec_home.path / "repositories" / "two"), offsite=True
    )
    second = jobs.create_job(by=people.operator, name="Again", repository=place, source=job.source)
    run(job)
    # What has written nothing yet is no copy, and neither is one of other files.
    assert analyzed(people)["data.copies"].good == 0
    run(second)
    other = jobs.create_job(
        by=people.operator, name="Part", repository=place, source=job.source, exclude=["*.txt"]
    )
    run(other)
    assert texts(analyzed(people)["data.copies"]) == ["Part: no copy of it elsewhere is known."]
    jobs.delete_job(other.pk, by=people.operator)
    assert analyzed(people)["data.copies"].good == 2
    # A job that rests copies nothing any more; its own source is still written beside it.
    jobs.change_job(second.pk, by=people.operator, state="disabled")
    assert texts(analyzed(people)["data.copies"]) == ["Files: no copy of it elsewhere is known."]


@pytest.mark.finds("passed", "custody.copies", "custody.drilled", "custody.proved")
@pytest.mark.finds("not_implemented", "custody.drilled")
def test_custody_is_stated_proved_and_drilled(people, roster, ask, job):
    work(approve(people.dpo, ask(custody=COPIES)))
    for user in (people.ciso, people.dpo, people.third):
        record = CustodyRecord.objects.get(person=user.person_id)
        custody.judge(custody.prove(record.pk, SECRET, by=user).pk)
    assert texts(analyzed(people)["custody.drilled"]) == ["Hall 2026: no drill within a year."]
    record = CustodyRecord.objects.get(person=people.ciso.person_id)
    custody.judge(custody.prove(record.pk, SECRET, by=people.ciso).pk)
    assert analyzed(people)["custody.drilled"].good == 1


@pytest.mark.finds("not_implemented", "jobs.encrypted", "points.approved", "recovery.protection")
def test_a_plain_job_with_points_falls_short(people, job):
    run(job)
    assert texts(analyzed(people)["points.approved"]) == ["Files: 1 points in clear."]


@pytest.mark.finds("not_implemented", "passwords.approved", "points.approved", "requests.by_security")
def test_an_administrators_quick_approval_is_named(people, roster, ask, job):
    request = work(approve(people.administrator, ask()))
    run(job)
    (told,) = texts(analyzed(people)["requests.by_security"])
    assert told.startswith(f"R-{request.number} was approved by an administrator alone, 0 minutes after")


def test_a_change_that_is_not_done_yet_is_not_in_force(people, roster, ask, job):
    first = work(approve(people.administrator, ask()))
    fields = {"custody": [CUSTODY], "answers": answers(), "new_password": "Laterne-Quitte-31-Segel-Moos"}
    password = first.rekey.version.password_id
    change = requests.ask(
        "change_password", by=people.operator, reason="A year.", encryption_password=password, **fields
    )
    approve(people.dpo, change)
    execution.execute(change.pk)
    assert analyzed(people)["passwords.approved"].good == 0
    work(change)
    assert analyzed(people)["passwords.approved"].good == 1


def test_of_what_was_adopted_with_its_files_little_is_known(activated):  # noqa: F811
    """Its value, who set it and when, and where else its source is backed up: none of it passes."""
    activated.run()
    forget()
    adopt(activated)
    done = analyzing.analyze(analyzing.analyze_when_due().pk)
    found = {finding.code: finding for finding in done.findings.all()}
    hint = "Adopted from Shelf"
    assert texts(found["passwords.rotated"]) == [f"{hint}: when it was set is not known."]
    (told,) = texts(found["passwords.leavers"])
    assert told == f"{hint}: no request set it, so who knows it cannot be told."
    assert found["passwords.strength"].found == found["data.copies"].found == Status.UNABLE


@pytest.mark.finds("not_implemented", "drift.explained")
def test_a_changed_keyring_is_a_drift(people, encrypted):
    for keyring in Path(encrypted.repository.location).rglob("keyring*"):
        keyring.write_bytes(keyring.read_bytes()[:-40])
    drift.observe(encrypted.pk)
    assert analyzed(people)["drift.explained"].evidence[0]["ref"] == str(encrypted.pk)


@pytest.mark.finds(
    "not_implemented", "data.restores", "log.outside", "passwords.rotated", "recovery.expiring"
)
@pytest.mark.finds("unable_to_detect", "requests.by_security")
def test_a_year_later_things_are_old(people, encrypted):
    with time_machine.travel(datetime.now(UTC) + timedelta(days=400)):
        assert texts(analyzed(people)["passwords.rotated"]) == ["Hall 2026: unchanged for 400 days."]


@pytest.mark.finds("not_implemented", "passwords.shared")
def test_one_password_for_too_many_jobs(people, roster, ask, make_job):
    work(approve(people.dpo, ask(*(make_job(f"Files {number}") for number in range(11)))))
    assert texts(analyzed(people)["passwords.shared"]) == ["Hall 2026: 11 jobs share it."]
