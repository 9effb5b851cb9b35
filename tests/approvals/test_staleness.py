"""P2, P5, P6: the worker refuses rows, votes, rosters, targets and messages that were not approved."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import Roster
from approvals.models import State
from approvals.services import attesting, execution
from audit.errors import Later
from audit.models import Alarm, Entry
from encryption.models import Attestation, EncryptionPassword, Job, Rekey
from tests.approvals.conftest import approve, new_policy, reject, sign_roster, suspend
from tests.approvals.executing import OTHER, activate, change, forge, stale

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _signed(roster: None) -> None:
    """Every test here has the signed roster."""


def test_p2_nothing_happens_before_the_approval(pending):
    """P2"""
    execution.execute(pending.pk)
    assert not Rekey.objects.exists()


def test_a_message_about_an_undecided_request_is_refused_by_name(pending):
    execution.execute(pending.pk)
    entry = Entry.objects.order_by("-sequence").first()
    assert (entry.event, entry.facts["reason"]) == ("message.refused", "pending")


def test_a_message_about_no_request_is_refused_by_name():
    execution.execute(uuid.uuid4())
    assert Entry.objects.order_by("-sequence").first().facts["reason"] == "unknown"


def test_a_message_about_a_rejected_request_is_refused(people, pending):
    reject(people.dpo, pending)
    execution.execute(pending.pk)
    assert not Rekey.objects.exists()


def test_a_message_about_a_rekey_that_has_not_ended_is_refused(people, pending):
    approve(people.dpo, pending)
    execution.execute(pending.pk)
    attesting.rekey_ended(Rekey.objects.get().pk)
    pending.refresh_from_db()
    assert pending.state == State.APPROVED
    assert not Attestation.objects.exists()


def test_a_second_delivery_begins_nothing(people, pending):
    approve(people.dpo, pending)
    execution.execute(pending.pk)
    execution.execute(pending.pk)
    assert Rekey.objects.count() == 1


def test_p5_a_forged_state_moves_nothing(people, pending):
    """P5: a row that says approved without a vote."""
    forge("approvals_approvalrequest", pending.pk, state="approved", execute_by=pending.decide_by)
    assert "votes" in stale(pending)


def test_p5_a_changed_statement_is_stale(people, pending):
    """P5"""
    approve(people.dpo, pending)
    forge(
        "approvals_approvalrequest",
        pending.pk,
        statement=bytes(pending.statement).replace(b"authority", b"attackers"),
    )
    assert "digest" in stale(pending)


def test_p5_a_changed_statement_with_its_digest_is_stale(people, pending):
    """P5: then the votes are on another text."""
    import hashlib

    approve(people.dpo, pending)
    changed = bytes(pending.statement).replace(b"authority", b"attackers")
    forge(
        "approvals_approvalrequest",
        pending.pk,
        statement=changed,
        digest=hashlib.sha256(changed).hexdigest(),
    )
    assert "another text" in stale(pending)


def test_p5_another_kind_in_the_row_is_stale(people, pending):
    """P5"""
    approve(people.dpo, pending)
    forge("approvals_approvalrequest", pending.pk, kind="deactivate_encryption")
    assert "row" in stale(pending)


def test_p5_another_secret_than_the_approved_one_is_stale(people, pending):
    """P5: the digest covers the very secret."""
    from encryption.services import intake

    approve(people.dpo, pending)
    forge("approvals_approvalrequest", pending.pk, sealed_secret=intake.seal_for(pending.pk, OTHER))
    assert "not the one that was approved" in stale(pending)


def test_p5_a_missing_secret_is_stale(people, pending):
    """P5"""
    approve(people.dpo, pending)
    forge("approvals_approvalrequest", pending.pk, sealed_secret=None)
    assert "missing" in stale(pending)


def test_p5_a_lost_vote_is_stale(people, pending):
    """P5: live membership, recounted by the worker."""
    approve(people.dpo, pending)
    suspend(people.dpo)
    assert "not enough" in stale(pending)


def test_p5_a_role_below_two_is_stale(people, pending):
    """P5, P3"""
    approve(people.dpo, pending)
    suspend(people.ciso, people.third)
    assert "fewer than two" in stale(pending)


def test_p5_a_voter_who_is_not_on_the_signed_roster_is_stale(people, pending):
    """P5: a seat in the database alone is not enough."""
    approve(people.third, pending)
    forge_roster_without_third(people)
    assert "not on the signed roster" in stale(pending)


def forge_roster_without_third(people) -> None:
    """The roster as it would be had the third seat never been signed."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM accounts_roster")
        cursor.execute("SET session_replication_role = origin")
    sign_roster(people, without=people.third)


def test_p5_a_forged_roster_is_stale(people, pending):
    """P5"""
    approve(people.dpo, pending)
    envelope = Roster.objects.get().envelope
    signature = envelope["signatures"][0]["sig"]
    envelope["signatures"][0]["sig"] = ("A" if signature[0] != "A" else "B") + signature[1:]
    import json

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE accounts_roster SET envelope = %s", [json.dumps(envelope)])
        cursor.execute("SET session_replication_role = origin")
    assert "roster" in stale(pending)


def test_p5_a_forged_vote_of_the_asker_is_stale(people, pending):
    """P5, P1: the worker compares persons itself."""
    request = approve(people.dpo, pending)
    forge(
        "approvals_vote",
        request.votes.get().pk,
        person_id=people.operator.person_id,
        voter_id=people.second_account.pk,
        asker_person_id=people.nobody.person_id,
        capacity="administrator",
    )
    assert "asker" in stale(pending)


def test_p5_a_key_that_changed_since_is_stale(people, ask, job):
    """P5: the target's fingerprint is read afresh."""
    request = approve(people.dpo, ask())
    forge("approvals_approvalrequest", request.pk, rekey_id=None)
    folder = _folder(job)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "keyring").write_bytes(b"not a keyring\n")
    with pytest.raises(Later):
        execution.execute(request.pk)
    assert not Rekey.objects.exists()


def _folder(job: Job):
    from pathlib import Path

    return Path(job.repository.location) / str(job.pk)


def test_p5_a_job_that_took_the_password_since_is_stale(people, ask, make_job):
    """P5"""
    first, second = make_job("One"), make_job("Two")
    activate(people, ask, first)
    password = EncryptionPassword.objects.get()
    request = approve(people.dpo, change(people, password.pk))
    Job.objects.filter(pk=second.pk).update(password=password)
    execution.execute(request.pk)
    request.refresh_from_db()
    assert request.state == State.STALE
    assert "Other jobs" in request.outcome


def test_p5_the_former_password_again_is_stale(people, ask, job):
    """P5: checks of the worker, before anything is written."""
    activate(people, ask)
    password = EncryptionPassword.objects.get()
    request = approve(people.dpo, change(people, password.pk, new_password="Kranich-7-Zitrone-Harfe-Nebel"))
    execution.execute(request.pk)
    request.refresh_from_db()
    assert request.state == State.STALE
    assert "nothing would change" in request.outcome


@pytest.mark.alarm("request.stale")
def test_asking_again_answers_the_alarm(people, pending, ask):
    request = approve(people.dpo, pending)
    forge("approvals_approvalrequest", request.pk, sealed_secret=None)
    stale(request)
    ask()
    assert Alarm.objects.get(kind="request.stale").state == "resolved"


def test_p12_the_log_says_why(people, pending):
    """P12"""
    forge("approvals_approvalrequest", approve(people.dpo, pending).pk, sealed_secret=None)
    why = stale(pending)
    assert Entry.objects.get(event="request.stale").facts["reason"] == why


def test_p6_a_policy_that_never_was_is_stale(people, pending):
    """P6: a statement that brings its own rules."""
    approve(people.dpo, pending)
    new_policy(quorum=2)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE approvals_policy SET quorum = 2 WHERE number = 1")
        cursor.execute("SET session_replication_role = origin")
    assert "policy" in stale(pending)


def test_p6_a_laxer_policy_of_former_days_is_stale(people, ask):
    """P6: somebody asks under rules that were not in force any more."""
    request = approve(people.dpo, ask())
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    policy = new_policy(quorum=2, created_at=request.created_at - timedelta(hours=1))
    assert policy.number == 2
    assert "Another policy" in stale(request)
