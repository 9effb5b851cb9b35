"""P2, P5, P6, P9, P12: what the worker does after the yes, and what it refuses."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from accounts.models import Roster, SecurityMember
from approvals.models import ApprovalRequest, State
from approvals.services import attesting, deadlines, execution, requests
from audit.errors import Later
from audit.models import Alarm, Entry
from encryption import badge
from encryption.models import Attestation, EncryptionPassword, Job, PasswordVersion, Rekey
from encryption.services import passwords, steps
from tests.approvals.conftest import CUSTODY, answers, approve, new_policy, reject, sign_roster, work

pytestmark = pytest.mark.django_db

OTHER = "Laterne-Quitte-31-Segel-Moos"


@pytest.fixture(autouse=True)
def _signed(roster: None) -> None:
    """Every test here has the signed roster."""


def forge(table: str, pk: object, **columns: object) -> None:
    """Change a row as only somebody with the whole database could: past its triggers."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        names = ", ".join(f'"{column}" = %s' for column in columns)
        cursor.execute(f"UPDATE {table} SET {names} WHERE id = %s", [*columns.values(), pk])
        cursor.execute("SET session_replication_role = origin")


def stale(request: ApprovalRequest) -> str:
    """Execute, see that it went stale with nothing written, and return why."""
    execution.execute(request.pk)
    request.refresh_from_db()
    assert request.state == State.STALE
    assert request.sealed_secret is None
    assert not Rekey.objects.exists()
    assert not PasswordVersion.objects.exists()
    assert Alarm.objects.filter(kind="request.stale").count() == 1
    return request.outcome


def activate(people, ask, *jobs, **fields) -> ApprovalRequest:
    """An activation from the question to its end."""
    return work(approve(people.dpo, ask(*jobs, **fields)))


def change(people, password, **fields) -> ApprovalRequest:
    """A change of a password, asked."""
    wish = {
        "reason": "Yearly.",
        "encryption_password": password,
        "new_password": OTHER,
        "custody": [CUSTODY],
        "answers": answers(),
    }
    return requests.ask("change_password", by=people.operator, **(wish | fields))


# --- what happens -------------------------------------------------------------


def test_an_approved_activation_is_executed(people, ask, job):
    request = activate(people, ask)
    assert request.state == State.EXECUTED, request.outcome
    job.refresh_from_db()
    assert job.password.hint == "Hall 2026"


def test_an_activation_under_an_existing_password_needs_no_new_one(people, ask, make_job):
    first, second = make_job("One"), make_job("Two")
    activate(people, ask, first)
    password = EncryptionPassword.objects.get()
    request = activate(people, ask, second, new_password=None, hint="", encryption_password=password.pk)
    assert request.state == State.EXECUTED, request.outcome
    assert set(password.jobs.all()) == {first, second}
    assert password.versions.count() == 1


def test_many_jobs_are_one_request_with_a_step_each(people, ask, make_job):
    jobs = [make_job(f"Job {number}") for number in range(3)]
    request = activate(people, ask, *jobs)
    assert request.rekey.steps.count() == 3
    assert Attestation.objects.count() == 3


def test_a_changed_password_is_a_new_version(people, ask, job):
    activate(people, ask)
    request = work(approve(people.ciso, change(people, EncryptionPassword.objects.get().pk)))
    assert request.state == State.EXECUTED, request.outcome
    assert EncryptionPassword.objects.get().versions.count() == 2


def test_a_deactivated_job_is_plain(people, ask, job):
    activate(people, ask)
    asked = requests.ask("deactivate_encryption", by=people.operator, reason="Moved.", jobs=[job.pk])
    request = work(approve(people.dpo, asked))
    assert request.state == State.EXECUTED, request.outcome
    job.refresh_from_db()
    assert job.password is None


def test_a_deleted_password_is_erased(people, vsec_home, pending):
    password = EncryptionPassword.objects.create(hint="Old")
    PasswordVersion.objects.create(
        password=password,
        number=1,
        hint="Old",
        kdf={},
        sealed_password=b"x",
        sealed_root=b"y",
        strength=4,
        length=20,
    )
    asked = requests.ask(
        "delete_password", by=people.operator, reason="Unused.", encryption_password=password.pk
    )
    request = work(approve(people.dpo, asked))
    assert request.state == State.EXECUTED, request.outcome
    passwords.erase(password.pk)
    assert password.versions.get().sealed_password is None
    password.refresh_from_db()
    assert password.deleted_at is not None


# --- the secret ---------------------------------------------------------------


def test_p9_the_sealed_secret_is_erased_once_the_work_began(people, pending):
    """P9"""
    approve(people.dpo, pending)
    execution.execute(pending.pk)
    pending.refresh_from_db()
    assert pending.state == State.APPROVED
    assert pending.sealed_secret is None


def test_p9_the_web_process_cannot_open_a_pending_secret(people, pending, settings, tmp_path):
    """P9: it holds no key that would."""
    settings.WORKER_KEYS = tmp_path / "nothing"
    from encryption.errors import KeyMaterialError
    from encryption.services import intake

    with pytest.raises(KeyMaterialError):
        intake.open_for(pending.pk, bytes(pending.sealed_secret))


# --- what is refused ----------------------------------------------------------


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
    SecurityMember.objects.filter(user=people.dpo).update(suspended_at=datetime.now(UTC))
    assert "not enough" in stale(pending)


def test_p5_a_role_below_two_is_stale(people, pending):
    """P5, P3"""
    approve(people.dpo, pending)
    others = SecurityMember.objects.filter(user__in=[people.ciso, people.third])
    others.update(suspended_at=datetime.now(UTC))
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


# --- time ---------------------------------------------------------------------


def test_p6_an_approval_that_was_not_begun_lapses(people, pending):
    """P6"""
    request = approve(people.dpo, pending)
    with time_machine.travel(request.execute_by + timedelta(seconds=1)):
        execution.execute(request.pk)
    request.refresh_from_db()
    assert request.state == State.LAPSED
    assert not Rekey.objects.exists()


def test_p6_a_forged_later_deadline_does_not_help(people, pending):
    """P6: the worker reckons from the last vote."""
    request = approve(people.dpo, pending)
    late = request.execute_by + timedelta(days=30)
    forge("approvals_approvalrequest", request.pk, execute_by=late)
    with time_machine.travel(late - timedelta(days=1)):
        assert "over" in stale(request)


def test_p6_what_began_in_time_is_finished_after_it(people, pending):
    """P6: from the stored version on, nothing ends a step but its own end."""
    request = approve(people.dpo, pending)
    execution.execute(request.pk)
    request.refresh_from_db()
    with time_machine.travel(request.execute_by + timedelta(hours=1)):
        assert deadlines.expire_due() == 0
        for step in request.rekey.steps.all():
            steps.run_step(step.pk)
        attesting.rekey_ended(request.rekey_id)
    request.refresh_from_db()
    assert request.state == State.EXECUTED


def test_the_beat_ends_what_is_overdue(people, pending):
    with time_machine.travel(pending.decide_by + timedelta(seconds=1)):
        assert deadlines.expire_due() == 1
    pending.refresh_from_db()
    assert pending.state == State.EXPIRED


# --- the sign -----------------------------------------------------------------


def test_p10_security_approved_is_the_sign(people, ask, job):
    """P10"""
    activate(people, ask)
    job.refresh_from_db()
    assert badge.badge(job).state == badge.State.NEXT_RUN


def test_p10_an_administrators_approval_earns_no_sign(people, ask, job):
    """P10"""
    work(approve(people.administrator, ask()))
    job.refresh_from_db()
    assert badge.badge(job).state == badge.State.ADMINISTRATOR


def test_p10_votes_by_code_are_recorded_not_signed(people, ask, job):
    """P10"""
    activate(people, ask)
    job.refresh_from_db()
    assert badge.badge(job).proof == "recorded"


def test_the_sweep_attests_what_a_lost_bell_left_out(people, pending, job):
    approve(people.dpo, pending)
    execution.execute(pending.pk)
    pending.refresh_from_db()
    for step in pending.rekey.steps.all():
        steps.run_step(step.pk)
    assert attesting.attest_missing() == 1
    pending.refresh_from_db()
    assert pending.state == State.EXECUTED
    assert Attestation.objects.count() == 1


def test_an_attestation_is_signed_once(people, ask):
    request = activate(people, ask)
    attesting.rekey_ended(request.rekey_id)
    assert Attestation.objects.count() == 1


def test_p12_every_transition_is_in_the_log(people, ask):
    """P12"""
    request = activate(people, ask)
    told = Entry.objects.filter(subject_id=str(request.pk)).order_by("sequence")
    events = list(told.values_list("event", flat=True))
    assert events == [
        "request.created",
        "vote.cast",
        "request.approved",
        "secret.erased",
        "request.executed",
    ]
