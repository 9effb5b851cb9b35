"""A repository without its record, and nobody who knows the password: recovered, and then governed again."""

from pathlib import Path
from uuid import UUID

import pytest

from approvals.errors import Invalid
from approvals.services import requests
from encryption import badge
from encryption.crypto import kdf
from encryption.engines.registry import engine_for
from encryption.errors import MissingKeyLine, ProofFailed
from encryption.models import (
    Attestation,
    Job,
    JobSession,
    RecoveredKeys,
    RepositoryAdoption,
    RestorePoint,
)
from encryption.services import adopting, backups, drift, placing, protection, runs
from recovery.models import BackupServer, CustodyProof, CustodyRecord
from recovery.services import answers, cases
from tests.approvals.conftest import CUSTODY, approve, work
from tests.approvals.conftest import answers as procedure
from tests.encryption.adopted import forget

pytestmark = pytest.mark.django_db

NEW = "copper-Lantern-meadow-62"


@pytest.fixture
def lost(people, encrypted) -> Job:
    """A job with two protected restore points, whose rows are lost, adopted."""
    repository, source = encrypted.repository, encrypted.source
    forget(CustodyProof, CustodyRecord, Attestation)
    row = adopting.adopt(repository.pk, by=people.operator)
    adopting.run_adoption(row.pk)
    found = Job.objects.get(pk=encrypted.pk)
    found.was = source
    return found


@pytest.fixture
def recovered(people, lost, enterprise, decided) -> UUID:
    """Its keys, opened by the Enterprise Manager; the case that they are of."""
    case = cases.ask([lost.pk], by=people.operator, reason="Nobody knows it.", number="INC-7")
    cases.make_request(case.pk)
    case.refresh_from_db()
    assert case.state == "asked", case.why
    received = answers.receive(cases.text_of(case), by=enterprise, number="CASE-1")
    decided("recover_key", case=received.pk)
    received.refresh_from_db()
    cases.offer_response(case.pk, answers.text_of(received), by=people.operator)
    cases.open_response(case.pk)
    return case.case


def change(people, job):
    """Ask for a new password as for any other, and have Security approve it."""
    request = requests.ask(
        "change_password",
        by=people.operator,
        reason="Nobody knows the one that was found.",
        encryption_password=job.password_id,
        new_password=NEW,
        hint="the blue folder",
        custody=[CUSTODY],
        answers=procedure(),
        scope="keys",
        start="next_run",
    )
    approve(people.dpo, request)
    return work(request)


def test_servers_of_recovery_lines_are_counted_by_their_id(lost):
    own = BackupServer.objects.get(own=True)
    assert RepositoryAdoption.objects.get().signers == {str(own.pk): 2}


def test_line_in_our_name_that_is_not_ours_is_named(people, lost):
    folder = Path(lost.repository.location) / str(lost.pk)
    line = next(folder.glob("*.recovery"))
    text = line.read_bytes()
    at = text.index(b'"wrapped":"') + 20
    line.write_bytes(text[:at] + (b"A" if text[at : at + 1] != b"A" else b"B") + text[at + 1 :])
    row = adopting.adopt(lost.repository_id, by=people.operator)
    adopting.run_adoption(row.pk)
    row.refresh_from_db()
    assert [one["what"] for one in row.named] == [f"{lost.pk}/{line.name}"]
    assert "not signed by the server" in row.named[0]["why"]


def test_files_are_restored_with_the_keys_of_the_recovery(people, lost, recovered, vsec_home):
    point, to = RestorePoint.objects.filter(job=lost).first(), vsec_home.path / "restores" / "found"
    session = runs.start_restore(point.pk, to=str(to), case=recovered, by=people.operator)
    backups.run_restore(session.pk)
    session.refresh_from_db()
    assert session.state == JobSession.State.SUCCEEDED, session.error
    assert (to / "a.txt").read_bytes() == (Path(lost.was) / "a.txt").read_bytes()


def test_p10_new_password_goes_through_the_normal_change_and_earns_the_badge(people, lost, recovered):
    """P10"""
    request = change(people, lost)
    assert request.state == "executed", request.outcome
    placing.settle(lost.pk)
    lost.refresh_from_db()
    points = RestorePoint.objects.filter(job=lost)
    assert {point.kind for point in points} == {"full", "increment"}
    assert {point.password_version.number for point in points} == {2}
    assert drift.observe(lost.pk) == []
    assert badge.badge(lost).state in ("approved", "next_run")
    assert lost.rekey_steps.get().proof["old_refused"] is None


def test_restore_with_the_new_password(people, lost, recovered, vsec_home):
    change(people, lost)
    RecoveredKeys.objects.all().delete()
    point, to = RestorePoint.objects.filter(job=lost).first(), vsec_home.path / "restores" / "found"
    session = runs.start_restore(point.pk, to=str(to), by=people.operator)
    backups.run_restore(session.pk)
    session.refresh_from_db()
    assert session.state == JobSession.State.SUCCEEDED, session.error


def test_nothing_is_changed_while_nobody_knows_the_password(people, lost):
    with pytest.raises(Invalid, match="type it once, or have its keys opened by a recovery"):
        change(people, lost)


def test_keys_of_a_recovery_that_ran_out_change_nothing(people, lost, recovered):
    RecoveredKeys.objects.update(expires_at="2026-01-01T00:00:00Z")
    with pytest.raises(Invalid):
        change(people, lost)


def rekeyed(lost, given):
    """Have the engine put the keyring under a new root."""
    engine_for(lost.repository).rekey(
        lost.pk, old_root=given, new_root=b"n" * 32, new_user_key=UUID(int=7), new_kdf=kdf.new_parameters()
    )


def test_key_that_was_not_given_stops_the_change(lost, recovered):
    head, given = engine_for(lost.repository).head(lost.pk), protection.held_for(lost.pk)
    given._keys.popitem()
    with pytest.raises(MissingKeyLine):
        rekeyed(lost, given)
    assert engine_for(lost.repository).head(lost.pk) == head


def test_key_that_opens_nothing_stops_the_change(lost, recovered):
    head, given = engine_for(lost.repository).head(lost.pk), protection.held_for(lost.pk)
    given._keys = dict.fromkeys(given._keys, b"x" * 32)
    with pytest.raises(ProofFailed):
        rekeyed(lost, given)
    assert engine_for(lost.repository).head(lost.pk) == head


def test_line_of_what_is_gone_is_left_behind(lost, recovered):
    point = RestorePoint.objects.filter(job=lost).first()
    folder, given = Path(lost.repository.location) / str(lost.pk), protection.held_for(lost.pk)
    del given._keys[point.storage_key]
    for ending in ("vsb", "recovery"):
        (folder / f"{point.pk}.{ending}").unlink()
    rekeyed(lost, given)
    assert engine_for(lost.repository).observe(lost.pk).key_lines == tuple(
        RestorePoint.objects.filter(job=lost).exclude(pk=point.pk).values_list("pk", flat=True)
    )


def test_what_a_recovery_rekeyed_is_found_done_when_called_again(lost, recovered):
    given = protection.held_for(lost.pk)
    rekeyed(lost, given)
    head = engine_for(lost.repository).head(lost.pk)
    rekeyed(lost, given)
    assert engine_for(lost.repository).head(lost.pk) == head
