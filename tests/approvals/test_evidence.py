"""P5, P10, P13: votes by passkey, verified by the worker itself; evidence that holds offline."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from fido2.utils import websafe_encode

from accounts.models import User
from accounts.roster import Credential
from accounts.services.stepup import StepUp
from approvals import selectors
from approvals.attestation.bundle import verify_bundle
from approvals.models import ApprovalRequest, State
from approvals.services import decisions, execution, exporting
from audit import keys
from audit.models import Entry
from audit.services import checkpoints
from encryption import badge
from encryption.models import Rekey
from tests.accounts.soft_passkey import SoftPasskey
from tests.approvals.conftest import SECRET, People, approve, new_policy, reject, sign_roster, suspend, work

pytestmark = pytest.mark.django_db
ORIGIN = "http://localhost:8000"


@pytest.fixture
def passkeys(people: People) -> dict[User, SoftPasskey]:
    """Passkeys of DPO and CISO, on the signed roster."""
    made = {user: SoftPasskey() for user in (people.dpo, people.ciso)}
    for user, passkey in made.items():
        passkey.add_to(user)
    sign_roster(
        people,
        {
            user: (Credential(websafe_encode(passkey.id), websafe_encode(passkey.public_key)),)
            for user, passkey in made.items()
        },
    )
    return made


def approve_with(
    passkey: SoftPasskey, user: User, request: ApprovalRequest, comment: str = ""
) -> ApprovalRequest:
    """Approve by passkey, in full."""
    begun = decisions.challenge(
        request.pk, by=user, verdict="approve", digest=request.digest, comment=comment, interactive=True
    )
    signed = passkey.sign(begun["public_key"]["challenge"], user=user)
    return decisions.approve(
        request.pk,
        by=user,
        digest=request.digest,
        step_up=StepUp(begun["nonce"], passkey=signed),
        comment=comment,
        interactive=True,
    )


@pytest.fixture
def executed(people: People, pending: ApprovalRequest, passkeys: dict[User, SoftPasskey]) -> ApprovalRequest:
    """A request that the DPO approved by passkey, executed and attested, under a signed checkpoint."""
    request = work(approve_with(passkeys[people.dpo], people.dpo, pending, "Read it twice."))
    assert request.state == State.EXECUTED, request.outcome
    checkpoints.sign_checkpoint()
    return request


@pytest.fixture
def bundle(executed: ApprovalRequest) -> dict[str, Any]:
    """Its evidence, as a client gets it."""
    return json.loads(json.dumps(selectors.evidence(executed)))


def verify(bundle: dict[str, Any]) -> list[str]:
    """Verify under this installation's key."""
    return verify_bundle(bundle, keys.signing_public(), origin=ORIGIN).proven


# --- passkeys -----------------------------------------------------------------


def test_p10_a_passkey_on_the_roster_makes_a_signed_sign(executed, job):
    """P10"""
    job.refresh_from_db()
    assert badge.badge(job).proof == "signed"


def test_p10_a_passkey_off_the_roster_is_recorded_only(people, pending, roster, job):
    """P10: the roster does not know it, so nobody else can verify it."""
    passkey = SoftPasskey()
    passkey.add_to(people.dpo)
    work(approve_with(passkey, people.dpo, pending))
    job.refresh_from_db()
    assert badge.badge(job).proof == "recorded"


def test_p10_one_vote_by_code_makes_the_whole_decision_recorded(people, ask, passkeys, job):
    """P10: signed only when all of Security's counted votes are."""
    new_policy(quorum=2)
    request = ask()
    approve_with(passkeys[people.dpo], people.dpo, request)
    work(approve(people.third, request))
    job.refresh_from_db()
    assert badge.badge(job).proof == "recorded"


def test_p5_a_vote_whose_passkey_signed_something_else_is_stale(people, pending, passkeys):
    """P5: the worker verifies the assertion itself."""
    request = approve_with(passkeys[people.dpo], people.dpo, pending, "Yes.")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE approvals_vote SET comment = 'Yes, and more.'")
        cursor.execute("SET session_replication_role = origin")
    execution.execute(request.pk)
    request.refresh_from_db()
    assert request.state == State.STALE
    assert "passkey" in request.outcome
    assert not Rekey.objects.exists()


def test_p5_a_copied_passkey_is_stale(people, ask, make_job, passkeys):
    """P5: its counter went back."""
    first, second = ask(make_job("One")), ask(make_job("Two"))
    passkey = passkeys[people.dpo]
    passkey.count = 10
    work(approve_with(passkey, people.dpo, first))
    passkey.count = 3
    with connection.cursor() as cursor:
        # The web process that forgot the counter: the worker did not.
        cursor.execute("UPDATE mfa_authenticator SET data = data - 'sign_count' WHERE type = 'webauthn'")
    approve_with(passkey, people.dpo, second)
    execution.execute(second.pk)
    second.refresh_from_db()
    assert second.state == State.STALE
    assert "counter" in second.outcome


# --- the bundle ---------------------------------------------------------------


def test_evidence_holds_offline(bundle):
    proven = verify(bundle)
    assert any("signed" in line for line in proven)
    assert any("read back" in line for line in proven)


def test_the_command_says_that_it_holds(bundle, tmp_path, capsys, django_db_blocker):
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(bundle))
    with django_db_blocker.block():
        call_command("verify_evidence", str(path))
    assert "The evidence holds" in capsys.readouterr().out


def test_the_command_fails_on_what_does_not_hold(bundle, tmp_path):
    bundle["votes"][0]["comment"] = "I never said that."
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(bundle))
    with pytest.raises(CommandError, match="does not hold"):
        call_command("verify_evidence", str(path))


def test_evidence_of_a_rejected_request_holds(people, pending):
    reject(people.dpo, pending)
    checkpoints.sign_checkpoint()
    assert verify(json.loads(json.dumps(selectors.evidence(ApprovalRequest.objects.get()))))


def test_evidence_of_an_administrators_approval_says_so(people, pending, passkeys):
    request = work(approve(people.administrator, pending))
    checkpoints.sign_checkpoint()
    assert "Approved by administrator" in " ".join(verify(selectors.evidence(request)))


def test_p9_evidence_holds_no_password(bundle):
    """P9"""
    assert SECRET not in json.dumps(bundle)


def test_taking_evidence_away_is_told_to_the_log(people, executed):
    exporting.export(executed.pk, by=people.auditor)
    assert Entry.objects.order_by("-sequence").first().event == "evidence.exported"


def test_p13_the_record_outlives_seats_and_jobs(people, executed):
    """P13"""
    from encryption.models import Job

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    suspend(people.third)
    Job.objects.update(name="Renamed")
    record = selectors.request_record(executed, people.auditor)
    assert record.detail.votes[0].who == "Dora · Security · DPO"
    assert [line.what for line in record.life] == ["Asked", "Decided", "Approved", "Executed"]
    assert ("Password", "Hall 2026, version 1") in record.change
