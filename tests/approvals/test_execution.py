"""P2, P6, P9, P10, P12: what the worker does after the yes."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from psycopg.types.json import Jsonb

from approvals.models import State
from approvals.services import attesting, deadlines, execution, requests
from audit.models import Alarm, Entry
from encryption import badge
from encryption.models import Attestation, EncryptionPassword, PasswordVersion, Rekey
from encryption.services import passwords, steps
from tests.approvals.conftest import approve, work
from tests.approvals.executing import OTHER, activate, change, forge, stale

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _signed(roster: None) -> None:
    """Every test here has the signed roster."""


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


def test_p2_a_job_takes_another_password_by_a_request_too(people, ask, job):
    """P2"""
    activate(people, ask)
    request = activate(people, ask, new_password=OTHER, hint="Second")
    assert request.state == State.EXECUTED, request.outcome
    job.refresh_from_db()
    assert job.password.hint == "Second"


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


@pytest.mark.alarm("attestation.missing")
def test_papers_that_do_not_hold_are_told_until_they_do(people, pending, job):
    approve(people.dpo, pending)
    execution.execute(pending.pk)
    pending.refresh_from_db()
    for step in pending.rekey.steps.all():
        steps.run_step(step.pk)
    finding = pending.execution
    forge("approvals_approvalrequest", pending.pk, execution=Jsonb(finding | {"signatures": []}))
    attesting.rekey_ended(pending.rekey_id)
    assert not Attestation.objects.exists()
    assert Alarm.objects.filter(kind="attestation.missing", resolved_at=None).exists()
    forge("approvals_approvalrequest", pending.pk, execution=Jsonb(finding))
    assert attesting.attest_missing() == 1
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


def test_the_worker_does_it_all_in_its_own_role(people, pending):
    request = approve(people.dpo, pending)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET ROLE veeamsec_worker")
        request = work(request)
        cursor.execute("RESET ROLE")
    assert request.state == State.EXECUTED, request.outcome
    assert Attestation.objects.count() == 1


def test_the_clock_ends_requests_in_the_workers_role(people, pending):
    with time_machine.travel(pending.decide_by + timedelta(seconds=1)), connection.cursor() as cursor:
        cursor.execute("SET ROLE veeamsec_worker")
        assert deadlines.expire_due() == 1
        cursor.execute("RESET ROLE")
