"""What was found changed is explained by Security alone, or put back as any change of encryption."""

from pathlib import Path
from uuid import uuid4

import pytest
from django.core.cache import cache

from approvals.errors import Invalid, NotEligible, OpenRequestExists
from approvals.models import State
from approvals.services import requests
from audit.models import Alarm, Entry
from encryption import badge
from encryption.crypto import kdf
from encryption.engines.native import rekey as engine
from encryption.models import Drift, Job, RekeyJob
from encryption.services import drift as native
from encryption.services import jobs
from tests.alarms import assert_ended
from tests.approvals.conftest import approve, work
from tests.approvals.executing import activate
from tests.approvals.http import Browser
from tests.approvals.veeam.conftest import (
    SECRET,
    activated,
    ask_for,
    job_named,
    read,
    server,
    the_password,
    there,
)
from tests.encryption.veeam.standin import block, name_of

__all__ = ["activated", "ask_for", "read", "server", "there"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quiet():
    cache.clear()


@pytest.fixture
def changed(there, read, activated):
    """The password was changed in Veeam's console."""
    [external] = there.held
    there.change(external, "behind-our-Back-99", there.tick())
    read()
    return Drift.objects.get(closed_at=None)


@pytest.fixture
def off(there, read, activated):
    """Encryption was switched off in Veeam's console."""
    place = there.models[name_of("Mail")]["storage"]["advancedSettings"]["storageData"]
    place["encryption"] = block(None)
    read()
    return Drift.objects.get(closed_at=None, what=Drift.What.VEEAM_ENCRYPTION_OFF)


def ask(kind, drift, by, reason="It was the night shift, by the book."):
    return requests.ask(kind, by=by, reason=reason, drift=drift.pk)


def test_change_behind_our_back_takes_the_sign(changed):
    """P10"""
    assert badge.badge(job_named("Mail")).state == badge.State.DRIFT


def test_explained_drift_is_closed_with_its_alarm(people, changed):
    request = work(approve(people.dpo, ask("explain_drift", changed, people.administrator)))
    changed.refresh_from_db()
    assert (request.state, changed.explained_by) == (State.EXECUTED, request.pk)
    assert changed.found["reason"] == "It was the night shift, by the book."
    assert not Alarm.objects.filter(kind="drift").exclude(state="resolved").exists()


def test_a_drift_of_a_deleted_job_stays_until_it_is_explained(people, roster, job):
    key = {"root": b"y" * 32, "user_key": uuid4(), "parameters": kdf.new_parameters()}
    engine.activate(Path(job.repository.location) / str(job.pk), **key)
    assert native.observe(job.pk) == ["keyring.unknown"]
    jobs.delete_job(job.pk, by=people.administrator)
    assert Alarm.objects.get(kind="drift").state == "raised"
    found = Drift.objects.get()
    done = work(approve(people.dpo, ask("explain_drift", found, people.administrator)))
    assert done.state == "executed", done.outcome
    assert_ended("drift")


def test_explained_is_not_approved(people, read, changed):
    """P10: accepted, and without a sign."""
    work(approve(people.dpo, ask("explain_drift", changed, people.administrator)))
    read()
    assert not Drift.objects.filter(closed_at=None).exists()
    assert badge.badge(job_named("Mail")).state == badge.State.UNAPPROVED


def test_another_change_after_an_explained_one_is_a_drift(people, there, read, changed):
    work(approve(people.dpo, ask("explain_drift", changed, people.administrator)))
    [external] = there.held
    there.change(external, "and-once-More-98", there.tick())
    read()
    assert Drift.objects.filter(closed_at=None).exists()
    assert badge.badge(job_named("Mail")).state == badge.State.DRIFT


def test_administrator_does_not_decide_on_an_explanation(people, changed):
    """P4: Security alone, whatever the policy says of passwords."""
    request = ask("explain_drift", changed, people.dpo)
    with pytest.raises(NotEligible):
        approve(people.administrator, request)


def test_nobody_explains_their_own_question(people, changed):
    """P1"""
    from approvals.errors import OwnRequest

    with pytest.raises(OwnRequest):
        approve(people.dpo, ask("explain_drift", changed, people.dpo))


def test_operator_does_not_ask_for_an_explanation(people, changed):
    with pytest.raises(NotEligible):
        ask("explain_drift", changed, people.operator)


def test_one_open_request_a_drift(people, changed):
    """P7"""
    ask("explain_drift", changed, people.administrator)
    with pytest.raises(OpenRequestExists):
        ask("revert_drift", changed, people.operator)


def test_drift_that_was_undone_makes_the_explanation_stale(people, there, read, off):
    """P5"""
    request = approve(people.dpo, ask("explain_drift", off, people.administrator))
    [external] = there.held
    place = there.models[name_of("Mail")]["storage"]["advancedSettings"]["storageData"]
    place["encryption"] = block(external)
    assert work(request).state == State.STALE


def test_former_value_is_put_back(people, there, read, changed):
    request = work(approve(people.dpo, ask("revert_drift", changed, people.operator)))
    assert request.state == State.EXECUTED
    assert list(there.values.values()) == [SECRET]
    read()
    assert not Drift.objects.filter(closed_at=None).exists()
    assert badge.badge(job_named("Mail")).state == badge.State.NEXT_RUN


def test_former_encryption_is_put_back(people, there, read, off):
    request = work(approve(people.dpo, ask("revert_drift", off, people.operator)))
    place = there.models[name_of("Mail")]["storage"]["advancedSettings"]["storageData"]
    assert (request.state, place["encryption"]["isEnabled"]) == (State.EXECUTED, True)
    read()
    assert not Drift.objects.filter(closed_at=None).exists()


def test_administrator_may_decide_on_a_way_back(people, changed):
    """A way back is a change of encryption as any other."""
    request = work(approve(people.administrator, ask("revert_drift", changed, people.operator)))
    assert request.state == State.EXECUTED
    assert badge.badge(job_named("Mail")).state == badge.State.ADMINISTRATOR


def test_unknown_former_value_cannot_be_put_back(people, there, read):
    external = there.add_password("Gold")
    there.add_job("Old", external)
    read()
    there.change(external, "nobody-Knows-77", there.tick())
    read()
    drift = Drift.objects.get(closed_at=None)
    with pytest.raises(Invalid, match="Nobody here knows the former value"):
        ask("revert_drift", drift, people.operator)


def test_gap_is_accepted_with_its_reason(people, there, read):
    there.add_job("Plain")
    read()
    gap = Drift.objects.get(what=Drift.What.VEEAM_JOB_PLAIN)
    reason = "The appliance deduplicates; it encrypts by itself."
    work(approve(people.dpo, ask("explain_drift", gap, people.administrator, reason)))
    read()
    gap.refresh_from_db()
    assert (gap.closed_at is not None, gap.found["reason"]) == (True, reason)
    assert Drift.objects.filter(what=Drift.What.VEEAM_JOB_PLAIN).count() == 1


def test_gap_takes_no_sign(there, read):
    """P10: a job that was never encrypted was not changed behind anybody's back."""
    there.add_job("Plain")
    read()
    assert badge.badge(job_named("Plain")).state == badge.State.PLAIN


def test_native_drift_stays_explained_while_the_same_is_found(people, ask_native, job):
    place = job.repository.location
    activate(people, ask_native)
    with (Path(place) / str(job.pk) / "keyring").open("ab") as file:
        file.write(b"{}\n")
    native.observe(job.pk)
    drift = Drift.objects.get(closed_at=None)
    work(approve(people.dpo, ask("explain_drift", drift, people.administrator)))
    native.observe(job.pk)
    assert not Drift.objects.filter(closed_at=None).exists()


@pytest.fixture
def ask_native(people, roster, job):
    """Ask for an activation of the native job."""
    from tests.approvals.conftest import wish

    return lambda *jobs, **fields: requests.ask(
        "activate_encryption", by=people.operator, **wish(*(jobs or (job,)), **fields)
    )


def test_explanation_is_told_to_the_log(people, changed):
    """P12"""
    work(approve(people.dpo, ask("explain_drift", changed, people.administrator)))
    assert Entry.objects.filter(event="drift.explained").count() == 1
    assert the_password(job_named("Mail")).pk == changed.password_id
    assert not RekeyJob.objects.filter(state="queued").exists()
    assert Job.objects.count() == 1


def test_api_asks_for_an_explanation(people, changed):
    browser = Browser(people.administrator)
    listed = browser.get("/api/v1/drifts/?open=true").json()["results"]
    assert [(one["id"], one["password"]) for one in listed] == [(str(changed.pk), str(changed.password_id))]
    body = {"kind": "explain_drift", "reason": "Night shift.", "drift": str(changed.pk)}
    answer = browser.post("/api/v1/requests/", body)
    assert (answer.status_code, answer.json()["targets"][0]["type"]) == (201, "drift")
