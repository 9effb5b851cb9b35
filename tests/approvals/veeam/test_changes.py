"""P2, P11: changes, deactivations and deletions at a Veeam server, and what stands in their way."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from approvals.errors import Invalid
from approvals.models import ApprovalRequest, State
from approvals.services import deadlines, execution
from audit.errors import Later
from encryption import badge
from encryption.errors import FourEyesRefused, VeeamUnreachable
from encryption.models import Attestation, Drift, PasswordVersion, Rekey, RekeyJob, VeeamPassword
from encryption.services import passwords, steps
from tests.approvals.conftest import approve, work
from tests.approvals.veeam.conftest import OTHER, SECRET, job_named, the_password
from tests.encryption.veeam.standin import name_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quiet():
    cache.clear()


@pytest.fixture
def three(people, there, read, ask_for):
    """Three jobs under one password."""
    for name in ("A", "B", "C"):
        there.add_job(name)
    read()
    request = ask_for("activate_encryption", "A", "B", "C", new_password=SECRET, hint="All")
    work(approve(people.dpo, request))
    there.calls.clear()
    return job_named("A")


def change(ask_for, job, **fields):
    given = {"encryption_password": the_password(job).pk, "new_password": OTHER} | fields
    return ask_for("change_password", **given)


def again(request):
    RekeyJob.objects.update(lease_until=None)
    return work(request)


def test_change_is_sent_once_for_all_jobs(people, there, three, ask_for):
    request = work(approve(people.dpo, change(ask_for, three)))
    assert request.state == State.EXECUTED
    assert (there.calls.count("change"), there.calls.count("verify")) == (1, 3)
    assert list(there.values.values()) == [OTHER]


def test_change_attests_every_job_anew(people, read, three, ask_for):
    work(approve(people.dpo, change(ask_for, three)))
    assert Attestation.objects.count() == 6
    read()
    assert not Drift.objects.filter(closed_at=None).exists()
    assert badge.badge(job_named("C")).state == badge.State.NEXT_RUN


def test_former_version_is_kept_and_ended(people, three, ask_for):
    work(approve(people.dpo, change(ask_for, three)))
    first, second = PasswordVersion.objects.order_by("number")
    assert first.in_force_until == second.in_force_from
    assert first.sealed_password is not None


def test_answer_that_was_cut_after_the_change_is_found_done(people, there, three, ask_for):
    """P11: the time of change moved, and the value is ours: nothing is sent twice."""
    request = approve(people.dpo, change(ask_for, three))
    real = there.change_password

    def cut(*given):
        real(*given)
        there.change_password = real
        raise VeeamUnreachable("cut")

    there.change_password = cut
    with pytest.raises(Later):
        work(request)
    assert again(request).state == State.EXECUTED
    assert there.calls.count("change") == 1


def test_change_of_somebody_else_is_tried_once_and_ends(people, there, three, ask_for):
    """P11: never near Veeam's block, whatever the number of jobs and tries."""
    request = approve(people.dpo, change(ask_for, three))
    [external] = there.held
    there.before["change"] = lambda: there.refusals.update(change=VeeamUnreachable("cut"))
    with pytest.raises(Later):
        work(request)
    there.refusals.clear()
    there.change(external, "behind-our-Back-99", there.tick())
    there.calls.clear()
    for step in RekeyJob.objects.filter(rekey=request.rekey_id):
        for _ in range(3):
            RekeyJob.objects.update(lease_until=None)
            with pytest.raises(Later):
                steps.run_step(step.pk)
    assert there.calls.count("verify") == 1
    Rekey.objects.filter(pk=request.rekey_id).update(retry_until=timezone.now())
    assert again(request).state == State.FAILED
    assert there.values[external] == "behind-our-Back-99"


def test_same_value_again_is_refused(people, there, three, ask_for):
    request = approve(people.dpo, change(ask_for, three, new_password=SECRET))
    assert work(request).state == State.STALE


def test_scope_data_is_refused(three, ask_for):
    with pytest.raises(Invalid, match="own schedule"):
        change(ask_for, three, scope="data")


def test_consequences_say_that_a_change_is_not_retroactive(people, there, read, three, ask_for):
    there.point("A", timezone.now(), size=700)
    read()
    said = change(ask_for, three)
    rows = {row["what"]: row for row in _consequences(said) if row.get("name") == "A"}
    assert "stays as it is" in rows["not_retroactive"]["text"]
    assert (rows["needs"]["points"], "version 1" in rows["needs"]["text"]) == (1, True)
    assert "re-key" not in str(rows)


def test_deactivation_switches_off_and_leaves_the_points(people, there, read, activated, ask_for):
    request = work(approve(people.dpo, ask_for("deactivate_encryption", "Mail")))
    assert request.state == State.EXECUTED
    place = there.models[name_of("Mail")]["storage"]["advancedSettings"]["storageData"]["encryption"]
    assert place["isEnabled"] is False
    read()
    job = job_named("Mail")
    assert (job.password_id, job.observed_fingerprint) == (None, "")
    assert badge.badge(job).state == badge.State.PLAIN


def test_activation_after_a_deactivation_uses_the_password_again(people, there, activated, ask_for):
    password = activated.password_id
    work(approve(people.dpo, ask_for("deactivate_encryption", "Mail")))
    request = ask_for("activate_encryption", "Mail", encryption_password=password)
    assert work(approve(people.ciso, request)).state == State.EXECUTED
    assert badge.badge(job_named("Mail")).state == badge.State.NEXT_RUN


def test_restore_points_there_are_not_deleted_from_here(activated, ask_for):
    with pytest.raises(Invalid, match="own retention"):
        ask_for("deactivate_encryption", "Mail", then="delete")


@pytest.fixture
def unused(people, there, activated, ask_for):
    """A password that no job uses any more."""
    password = the_password(activated)
    work(approve(people.dpo, ask_for("deactivate_encryption", "Mail")))
    return password


def test_deletion_removes_it_there_and_erases_its_value(people, there, unused, ask_for):
    request = work(approve(people.dpo, ask_for("delete_password", encryption_password=unused.pk)))
    assert (request.state, there.held) == (State.EXECUTED, {})
    passwords.erase(unused.pk)
    assert PasswordVersion.objects.get().sealed_password is None


def test_deletion_of_a_needed_password_is_refused(activated, ask_for):
    with pytest.raises(Invalid, match="still needed"):
        ask_for("delete_password", encryption_password=the_password(activated).pk)


def test_deletion_that_was_cut_is_found_done(people, there, unused, ask_for):
    request = approve(people.dpo, ask_for("delete_password", encryption_password=unused.pk))
    there.held.clear()
    assert work(request).state == State.EXECUTED


def test_four_eyes_of_veeam_are_said_and_the_request_waits(people, there, unused, ask_for):
    request = approve(people.dpo, ask_for("delete_password", encryption_password=unused.pk))
    there.refusals["delete"] = FourEyesRefused("it needs an approval there")
    with pytest.raises(Later):
        execution.execute(request.pk)
    request.refresh_from_db()
    assert (request.state, "four-eyes" in request.outcome) == (State.APPROVED, True)


def test_four_eyes_of_veeam_fail_the_request_when_its_window_ends(people, there, unused, ask_for):
    request = approve(people.dpo, ask_for("delete_password", encryption_password=unused.pk))
    there.refusals["delete"] = FourEyesRefused("it needs an approval there")
    with pytest.raises(Later):
        execution.execute(request.pk)
    assert request.execute_by is not None
    moment = request.execute_by + timedelta(seconds=1)
    with pytest.MonkeyPatch.context() as clock:
        clock.setattr(timezone, "now", lambda: moment)
        deadlines.settle(request.pk)
    request.refresh_from_db()
    assert (request.state, "four-eyes" in request.outcome) == (State.FAILED, True)


def test_job_that_is_gone_there_fails_when_the_window_ends(people, there, three, ask_for):
    request = approve(people.dpo, ask_for("deactivate_encryption", "B"))
    real = there.put_job
    there.put_job = lambda *given: there.models.pop(name_of("B")) and real(*given)
    there.before["put"] = lambda: there.refusals.update(put=VeeamUnreachable("cut"))
    with pytest.raises(Later):
        work(request)
    Rekey.objects.update(retry_until=timezone.now())
    assert again(request).state == State.FAILED


def test_kms_keys_are_not_changed_from_here(there, read, ask_for):
    there.kms.append({"id": str(name_of("kms")), "name": "vault"})
    there.add_job("Mail")
    read()
    password = VeeamPassword.objects.get(is_kms=True).password
    with pytest.raises(Invalid):
        ask_for("change_password", encryption_password=password.pk, new_password=OTHER)


def _consequences(request: ApprovalRequest):
    from approvals import statement

    return statement.parse(bytes(request.statement)).consequences
