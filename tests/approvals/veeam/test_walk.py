"""The whole way at a server that answers as Veeam does: read, approve, change, see, explain."""

import time
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.utils import timezone

from approvals.attestation.bundle import verify_bundle
from approvals.models import ApprovalRequest, State
from approvals.selectors.evidence import evidence
from approvals.services import attesting, execution, requests
from audit import keys
from audit.errors import Later
from audit.models import Alarm
from audit.services import checkpoints
from encryption import badge
from encryption.crypto.secret import Secret
from encryption.models import Attestation, Drift, Job, JobSession, Rekey, RekeyJob, VeeamServer
from encryption.services import backups, steps
from encryption.services.veeam import adoption, imports, servers
from tests.approvals.conftest import approve, work
from tests.approvals.veeam.conftest import OTHER, SECRET, ask_for, job_named, the_password
from veeamsec.peer import Peer, serve

__all__ = ["ask_for"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def peer() -> Iterator[Peer]:
    cache.clear()
    with serve("large", jobs=240, points=480) as found:
        # Only a pinch of them is encrypted.
        for name in found.control.jobs()[20:]:
            model = found.control.job_model(name)
            if model["storage"]["advancedSettings"]["storageData"]["encryption"]["isEnabled"]:
                found.control.somebody_switches_off(name)
        yield found


@pytest.fixture
def server(people, roster, peer) -> VeeamServer:
    return servers.connect(
        by=people.administrator,
        name="Main",
        address=peer.address,
        port=peer.port,
        account=peer.account.name,
        thumbprint=peer.thumbprint,
        password=Secret(peer.account.password.encode()),
    )


@pytest.fixture
def read(server):
    def now() -> None:
        imports.run_import(server.pk)
        server.refresh_from_db()
        assert server.error == ""

    now()
    return now


def plain(count: int) -> list[str]:
    rows = Job.objects.filter(password=None, veeam__isnull=False).order_by("name")
    return list(rows.values_list("name", flat=True)[:count])


def tried(request: ApprovalRequest) -> int:
    """Do every open step once; how many wait for another time."""
    waiting = 0
    for step in RekeyJob.objects.filter(rekey=request.rekey_id, state__in=RekeyJob.OPEN):
        try:
            steps.run_step(step.pk)
        except Later:
            waiting += 1
    return waiting


def state_of(name: str) -> badge.State:
    return badge.badge(job_named(name)).state


def test_forty_jobs_from_the_question_to_the_explanation(people, peer, read, ask_for):
    """P10: approved, applied, verified, shown; changed behind our back, seen, and explained."""
    names = plain(40)
    request = ask_for("activate_encryption", *names, new_password=SECRET, hint="Hall 2026")
    work(approve(people.dpo, request))
    assert {state_of(name) for name in names} == {badge.State.NEXT_RUN}
    for name in names:
        peer.control.run_job(name)
    read()
    assert {state_of(name) for name in names} == {badge.State.APPROVED_FROM}
    hint = f"Hall 2026 (R-{request.number})"
    assert peer.control.password_value(hint) == SECRET
    peer.control.somebody_changes_password(hint)
    read()
    assert {state_of(name) for name in names} == {badge.State.DRIFT}
    drift = Drift.objects.get(password=the_password(job_named(names[0])), closed_at=None)
    assert Alarm.objects.filter(kind="drift", state="raised").exists()
    asked = requests.ask("explain_drift", by=people.administrator, reason="Night shift.", drift=drift.pk)
    work(approve(people.ciso, asked))
    read()
    assert not Drift.objects.exclude(what__in=Drift.GAPS).filter(closed_at=None).exists()
    assert {state_of(name) for name in names} == {badge.State.UNAPPROVED}


def test_evidence_of_a_veeam_request_holds(people, peer, read, ask_for, settings):
    """P10: an outsider verifies it with one public key."""
    request = work(
        approve(people.dpo, ask_for("activate_encryption", *plain(2), new_password=SECRET, hint="Two"))
    )
    checkpoints.sign_checkpoint()
    report = verify_bundle(evidence(request), keys.signing_public(), origin=settings.VEEAMSEC_ORIGIN)
    assert sum("read back with the approved key" in line for line in report.proven) == 2


def test_two_hundred_jobs_three_of_which_fail_and_are_finished(people, peer, read, ask_for):
    """P11: partly done is shown as that, and finished under the same approval."""
    names = plain(200)
    request = approve(people.dpo, ask_for("activate_encryption", *names, new_password=SECRET, hint="All"))
    execution.execute(request.pk)
    request.refresh_from_db()
    for name in names[:3]:
        peer.control.fail_next(500, times=50, method="PUT", path=peer.control.job_id(name))
    assert tried(request) == 3
    rekey = Rekey.objects.get(pk=request.rekey_id)
    done = rekey.steps.filter(state=RekeyJob.State.SUCCEEDED).count()
    assert (rekey.state, done) == (Rekey.State.RUNNING, 197)
    peer.control.clear_faults()
    RekeyJob.objects.update(lease_until=None)
    assert tried(request) == 0
    attesting.rekey_ended(rekey.pk)
    request.refresh_from_db()
    assert (request.state, Attestation.objects.count()) == (State.EXECUTED, 200)
    assert len(peer.control.at.passwords) == 21


def test_adopted_password_is_changed_and_verified(people, peer, read, ask_for):
    job = Job.objects.exclude(password=None).order_by("name").first()
    password = the_password(job)
    value = peer.control.password_value(password.hint)
    adoption.prove(adoption.adopt(password.pk, by=people.operator, typed=Secret(value.encode())).pk)
    request = ask_for("change_password", encryption_password=password.pk, new_password=OTHER)
    assert work(approve(people.dpo, request)).state == State.EXECUTED
    password.refresh_from_db()
    assert peer.control.password_value(password.hint) == OTHER
    assert state_of(job.name) == badge.State.NEXT_RUN


def test_job_is_started_only_where_it_was_asked_for(people, peer, read, ask_for):
    first, second = plain(2)
    work(approve(people.dpo, ask_for("activate_encryption", first, new_password=SECRET, hint="One")))
    assert not JobSession.objects.exists()
    request = ask_for("activate_encryption", second, new_password=OTHER, hint="Two", start="now")
    work(approve(people.dpo, request))
    session = JobSession.objects.get()
    for _ in range(100):
        try:
            backups.run_backup(session.pk)
            break
        except Later:
            time.sleep(0.1)
            JobSession.objects.update(lease_until=timezone.now())
    session.refresh_from_db()
    assert (session.state, session.job.name) == ("succeeded", second)


def test_unreachable_server_neither_fails_nor_changes(people, peer, read, ask_for):
    """P11"""
    [name] = plain(1)
    request = approve(people.dpo, ask_for("activate_encryption", name, new_password=SECRET, hint="One"))
    execution.execute(request.pk)
    request.refresh_from_db()
    peer.control.fail_next("drop", times=100)
    Rekey.objects.update(retry_until=timezone.now())
    assert tried(request) == 1
    assert RekeyJob.objects.get().state == RekeyJob.State.RUNNING
    peer.control.clear_faults()
    RekeyJob.objects.update(lease_until=None)
    assert tried(request) == 0


def test_four_eyes_of_the_server_are_said_on_the_request(people, peer, read, ask_for):
    """Veeam's own authorization has the last word on deletions; ours says so and waits."""
    [name] = plain(1)
    work(approve(people.dpo, ask_for("activate_encryption", name, new_password=SECRET, hint="One")))
    password = the_password(job_named(name))
    work(approve(people.ciso, ask_for("deactivate_encryption", name)))
    peer.control.four_eyes(on=True)
    request = approve(people.dpo, ask_for("delete_password", encryption_password=password.pk))
    with pytest.raises(Later):
        execution.execute(request.pk)
    request.refresh_from_db()
    assert (request.state, "four-eyes" in request.outcome) == (State.APPROVED, True)
    peer.control.four_eyes(on=False)
    assert work(request).state == State.EXECUTED
