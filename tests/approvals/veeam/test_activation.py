"""P2, P5: jobs of a Veeam server are activated by the same requests, and proved by what is read back."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.errors import Invalid
from approvals.models import State
from audit.errors import Later
from audit.models import Alarm, Entry
from encryption import badge
from encryption.errors import VeeamBusy, VeeamUnreachable
from encryption.models import Attestation, Drift, PasswordVersion, RekeyJob, VeeamPassword
from encryption.services import steps
from tests.approvals.conftest import approve, work
from tests.approvals.executing import stale
from tests.approvals.veeam.conftest import SECRET, job_named
from tests.encryption.veeam.standin import name_of

pytestmark = pytest.mark.django_db


def enable(there, name):
    return there.models[name_of(name)]["storage"]["advancedSettings"]["storageData"]["encryption"]


def ended(request):
    request.refresh_from_db()
    return request.state


def test_job_gets_the_new_password_there(there, activated):
    [external] = there.held
    assert enable(there, "Mail")["encryptionPasswordId"] == str(external)
    assert there.values[external] == SECRET


def test_hint_there_names_the_request(there, activated):
    [password] = there.held.values()
    request = RekeyJob.objects.get().rekey.request
    assert password.hint.startswith("Mail 2026 (R-"), request


def test_sign_reads_from_the_next_run(activated):
    """P10: nothing is written under it yet, so the sign is not the full one."""
    sign = badge.badge(activated)
    assert (sign.state, sign.fingerprint) == (badge.State.NEXT_RUN, activated.observed_fingerprint)


def test_read_back_key_is_the_attested_one(activated):
    """P10: the order names no fingerprint; the verified read-back is the approved one."""
    step = RekeyJob.objects.get()
    assert step.new_fingerprint == ""
    assert (
        Attestation.objects.get().fingerprint == step.proof["fingerprint"] == activated.observed_fingerprint
    )
    assert step.proof["new_opens"] is True


def test_import_afterwards_finds_nothing_new(read, activated):
    read()
    assert not Drift.objects.filter(closed_at=None).exists()
    assert badge.badge(job_named("Mail")).state == badge.State.NEXT_RUN


def test_no_value_rests_in_clear(there, activated, django_db_blocker):
    """P9: neither in the log nor in a step."""
    text = " ".join(str(row.facts) for row in Entry.objects.all()) + str(RekeyJob.objects.get().proof)
    assert SECRET not in text
    assert SECRET.encode() not in bytes(PasswordVersion.objects.get().sealed_password)


def test_one_password_for_forty_jobs(people, there, read, ask_for):
    names = [f"Job {number}" for number in range(40)]
    for name in names:
        there.add_job(name)
    read()
    request = work(
        approve(people.dpo, ask_for("activate_encryption", *names, new_password=SECRET, hint="All"))
    )
    assert request.state == State.EXECUTED
    assert (len(there.held), Attestation.objects.count()) == (1, 40)
    assert all(enable(there, name)["isEnabled"] for name in names)


def test_unknown_fields_survive(people, there, read, ask_for):
    there.add_job("Mail")
    there.models[name_of("Mail")] |= {"somethingNew": {"deep": [1, {"x": None}]}, "schedule": None}
    before = dict(there.models[name_of("Mail")])
    read()
    work(approve(people.dpo, ask_for("activate_encryption", "Mail", new_password=SECRET, hint="Mail")))
    after = dict(there.models[name_of("Mail")])
    assert before.pop("storage") != after.pop("storage")
    assert before == after


def test_concurrent_edit_is_not_overwritten(people, there, read, ask_for):
    """Somebody saves the job between our reading and our writing: theirs comes first, ours follows."""
    there.add_job("Mail")
    read()
    request = approve(people.dpo, ask_for("activate_encryption", "Mail", new_password=SECRET, hint="Mail"))
    real, seen = there.job, []

    def edited(external):
        model = real(external)
        seen.append(external)
        if len(seen) == 2:
            there.models[external]["description"] = "edited meanwhile"
        return model

    there.job = edited
    with pytest.raises(Later):
        work(request)
    assert there.puts == []
    RekeyJob.objects.update(lease_until=None)
    work(request)
    assert there.models[name_of("Mail")]["description"] == "edited meanwhile"
    assert enable(there, "Mail")["isEnabled"]


def test_edit_after_our_writing_is_told(people, there, read, ask_for):
    """Somebody saves the job between our writing and our reading back: it stays, and is said."""
    there.add_job("Mail")
    read()
    request = approve(people.dpo, ask_for("activate_encryption", "Mail", new_password=SECRET, hint="Mail"))
    there.after["put"] = lambda: there.models[name_of("Mail")].update(description="edited just then")
    assert work(request).state == State.EXECUTED
    assert there.models[name_of("Mail")]["description"] == "edited just then"
    alarm = Alarm.objects.get(kind="veeam.unexplained", resolved_at=None)
    assert (alarm.subject_id, "description" in alarm.text) == (str(job_named("Mail").pk), True)
    work(approve(people.dpo, ask_for("deactivate_encryption", "Mail")))
    assert not Alarm.objects.filter(kind="veeam.unexplained", resolved_at=None).exists()


def test_running_job_is_tried_again(people, there, read, ask_for):
    there.add_job("Mail")
    read()
    request = approve(people.dpo, ask_for("activate_encryption", "Mail", new_password=SECRET, hint="Mail"))
    there.refusals["put"] = VeeamBusy("The job is running.")
    with pytest.raises(Later):
        work(request)
    assert RekeyJob.objects.get().error == "The job is running."
    there.refusals.clear()
    RekeyJob.objects.update(lease_until=None)
    assert work(request).state == State.EXECUTED


def test_existing_password_is_used_once_it_is_known(people, there, read, ask_for, activated):
    there.add_job("Files")
    read()
    password = activated.password_id
    request = approve(people.ciso, ask_for("activate_encryption", "Files", encryption_password=password))
    assert work(request).state == State.EXECUTED
    assert len(there.held) == 1
    assert job_named("Files").password_id == password


def test_unproven_password_is_not_used(there, read, ask_for):
    external = there.add_password("Gold")
    there.add_job("Mail")
    read()
    password = VeeamPassword.objects.get(external=external).password_id
    with pytest.raises(Invalid, match="adopt it first"):
        ask_for("activate_encryption", "Mail", encryption_password=password)


def test_switch_to_a_kms_server(people, there, read, ask_for, activated):
    """P2: to a key that Veeam never sees the value of; there is nothing to verify."""
    kms = name_of("kms")
    there.kms.append({"id": str(kms), "name": "vault"})
    read()
    password = VeeamPassword.objects.get(is_kms=True).password_id
    request = approve(people.dpo, ask_for("activate_encryption", "Mail", encryption_password=password))
    assert work(request).state == State.EXECUTED
    assert enable(there, "Mail")["kmsServerId"] == str(kms)
    assert RekeyJob.objects.order_by("-ended_at").first().proof["new_opens"] is None


def test_jobs_of_two_servers_are_not_one_request(people, there, read, ask_for, make_job):
    there.add_job("Mail")
    read()
    native = make_job("Native")
    with pytest.raises(Invalid, match="one Veeam server"):
        ask_for(
            "activate_encryption",
            jobs=[job_named("Mail").pk, native.pk],
            new_password=SECRET,
            hint="Mail",
        )


def test_password_changed_before_execution_makes_it_stale(people, there, read, ask_for, activated):
    """P5: another value in Veeam than the one that was named."""
    there.add_job("Files")
    read()
    request = approve(
        people.dpo, ask_for("activate_encryption", "Files", encryption_password=activated.password_id)
    )
    [external] = there.held
    there.change(external, "behind-our-Back-99", there.tick())
    assert work(request).state == State.STALE
    assert not enable(there, "Files")["isEnabled"]


def test_server_that_moved_after_the_approval_gets_nothing(people, server, there, read, ask_for):
    """P5: approvers sign where a password goes."""
    there.add_job("Mail")
    read()
    request = approve(people.dpo, ask_for("activate_encryption", "Mail", new_password=SECRET, hint="Mail"))
    type(server).objects.filter(pk=server.pk).update(address="evil.example")
    assert "server" in stale(request)
    assert there.held == {}


def test_failed_steps_make_it_partial_and_the_rest_is_done(people, there, read, ask_for):
    names = ["A", "B", "C"]
    for name in names:
        there.add_job(name)
    read()
    request = approve(people.dpo, ask_for("activate_encryption", *names, new_password=SECRET, hint="All"))
    there.refusals[f"put {name_of('B')}"] = VeeamUnreachable("cut")
    with pytest.raises(Later):
        work(request)
    for step in RekeyJob.objects.exclude(state="succeeded").exclude(job__name="B"):
        steps.run_step(step.pk)
    RekeyJob.objects.update(lease_until=None)
    request.rekey.retry_until = request.created_at
    request.rekey.save(update_fields=["retry_until"])
    work(request)
    assert ended(request) == State.EXECUTED
    assert request.outcome == "Done for 2 of 3 jobs; nothing changed for the others."
    assert RekeyJob.objects.get(job__name="B").state == "failed"
    assert not enable(there, "B")["isEnabled"]


def test_steps_that_failed_are_finished_under_the_same_approval(people, there, read, ask_for):
    there.add_job("A")
    read()
    request = approve(people.dpo, ask_for("activate_encryption", "A", new_password=SECRET, hint="All"))
    there.refusals["put"] = VeeamUnreachable("cut")
    with pytest.raises(Later):
        work(request)
    there.refusals.clear()
    RekeyJob.objects.update(lease_until=None)
    assert work(request).state == State.EXECUTED
    assert not Alarm.objects.filter(kind="rekey.stuck", state="raised").exists()


def test_policy_may_put_the_number_into_the_description(people, there, read, ask_for):
    from tests.approvals.conftest import new_policy

    new_policy(number_in_description=True)
    there.add_job("Mail")
    there.models[name_of("Mail")]["description"] = "Nightly (R-7)"
    read()
    request = approve(people.dpo, ask_for("activate_encryption", "Mail", new_password=SECRET, hint="Mail"))
    work(request)
    assert there.models[name_of("Mail")]["description"] == f"Nightly (R-{request.number})"


def test_asking_for_two_hundred_jobs_costs_as_many_queries_as_for_two(there, read, ask_for):
    names = [f"Job {number:03}" for number in range(202)]
    for name in names:
        there.add_job(name)
    read()
    jobs = [job_named(name).pk for name in names]
    with CaptureQueriesContext(connection) as few:
        ask_for("activate_encryption", jobs=jobs[:2], new_password=SECRET, hint="Few")
    with CaptureQueriesContext(connection) as many:
        ask_for("activate_encryption", jobs=jobs[2:], new_password=SECRET, hint="Many")
    assert len(many) <= len(few) + 2
    assert len(many) < 75
