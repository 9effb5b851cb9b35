"""P14: a passkey enters the roster by a decided request or by one that is in, and signs from then on."""

import pytest
import time_machine
from fido2.utils import websafe_encode

from accounts.errors import InteractiveRequired, Invalid, NotEligible, NotFound, NotNow, ProofInvalid
from accounts.models import CredentialEnrolment, Notice, Roster
from accounts.roster import Credential
from accounts.services import passkeys
from accounts.services.security_role import roster_in_force
from accounts.services.stepup import StepUp
from approvals.attestation import finding as findings
from approvals.models import State
from approvals.services import decisions
from audit import keys
from tests.accounts.soft_passkey import SoftPasskey
from tests.approvals.conftest import later, sign_roster, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def first(people) -> SoftPasskey:
    """The DPO's passkey, which stands in the signed roster."""
    key = SoftPasskey()
    key.add_to(people.dpo)
    known = Credential(websafe_encode(key.id), websafe_encode(key.public_key))
    sign_roster(people, {people.dpo: (known,)})
    return key


def offer(user, signer: SoftPasskey, new) -> CredentialEnrolment:
    """One passkey signs another one in."""
    options = passkeys.begin(new.pk, by=user)
    answer = signer.sign(options["challenge"])
    return passkeys.enter_roster(new.pk, by=user, answer=answer, interactive=True)


def decide(user, request, key: SoftPasskey):
    """Approve with a passkey."""
    begun = decisions.challenge(request.pk, by=user, verdict="approve", digest=request.digest)
    step_up = StepUp(begun["nonce"], passkey=key.sign(begun["public_key"]["challenge"], user=user))
    return decisions.approve(request.pk, by=user, digest=request.digest, step_up=step_up, interactive=True)


def level(request) -> str:
    request.refresh_from_db()
    return findings.open_finding(request.execution, keys.signing_public()).level


def test_a_second_passkey_enters_the_roster(people, first):
    second = SoftPasskey()
    row = second.add_to(people.dpo)
    passkeys.enrol_credential(offer(people.dpo, first, row).pk)
    body = roster_in_force()
    assert body.number == 2
    assert len(body.entry(people.dpo.pk).credentials) == 2
    assert all(line.since for line in passkeys.own(people.dpo))
    assert Notice.objects.filter(user=people.dpo, what=Notice.What.PASSKEY_IN_ROSTER).exists()


def test_a_second_delivery_changes_nothing(people, first):
    made = offer(people.dpo, first, SoftPasskey().add_to(people.dpo))
    passkeys.enrol_credential(made.pk)
    passkeys.enrol_credential(made.pk)
    assert Roster.objects.count() == 2


def test_a_passkey_of_the_roster_signs_a_decision(people, first, ask):
    request = decide(people.dpo, ask(), first)
    assert work(request).state == State.EXECUTED
    assert level(request) == "signed"


def test_a_passkey_outside_the_roster_only_records(people, first, ask):
    second = SoftPasskey()
    second.add_to(people.dpo)
    request = decide(people.dpo, ask(), second)
    assert work(request).state == State.EXECUTED
    assert level(request) == "recorded"


def test_a_passkey_younger_than_the_request_only_records(people, first, ask):
    """Nobody brings in a key for a question that is asked already."""
    request, second = ask(), SoftPasskey()
    row = second.add_to(people.dpo)
    with time_machine.travel(later(seconds=5)):
        passkeys.enrol_credential(offer(people.dpo, first, row).pk)
    with time_machine.travel(later(seconds=10)):
        assert work(decide(people.dpo, request, second)).state == State.EXECUTED
    assert level(request) == "recorded"


def test_a_passkey_older_than_the_request_signs(people, first, ask):
    second = SoftPasskey()
    row = second.add_to(people.dpo)
    passkeys.enrol_credential(offer(people.dpo, first, row).pk)
    with time_machine.travel(later(seconds=5)):
        request = decide(people.dpo, ask(), second)
        assert work(request).state == State.EXECUTED
    assert level(request) == "signed"


def test_p14_a_forged_enrolment_row_is_refused_by_the_worker(people, first):
    """P14: the web may write the row; it cannot sign."""
    thief = SoftPasskey()
    new = thief.add_to(people.dpo)
    options = passkeys.begin(new.pk, by=people.dpo)
    answer = thief.sign(options["challenge"])
    forged = CredentialEnrolment.objects.create(
        user=people.dpo,
        credential=websafe_encode(thief.id),
        public_key=websafe_encode(thief.public_key),
        proof={"factor": "passkey", "credential": websafe_encode(first.id), "response": answer},
    )
    with pytest.raises(ProofInvalid):
        passkeys.enrol_credential(forged.pk)
    assert Roster.objects.count() == 1


def test_p14_a_signature_for_one_key_brings_in_no_other(people, first):
    """P14"""
    good, bad = SoftPasskey(), SoftPasskey()
    row = good.add_to(people.dpo)
    options = passkeys.begin(row.pk, by=people.dpo)
    proof = {
        "factor": "passkey",
        "credential": websafe_encode(first.id),
        "response": first.sign(options["challenge"]),
    }
    forged = CredentialEnrolment.objects.create(
        user=people.dpo,
        credential=websafe_encode(bad.id),
        public_key=websafe_encode(bad.public_key),
        proof=proof,
    )
    with pytest.raises(ProofInvalid):
        passkeys.enrol_credential(forged.pk)


def test_p14_nor_into_another_account(people, first):
    """P14"""
    key = SoftPasskey()
    row = key.add_to(people.dpo)
    made = offer(people.dpo, first, row)
    forged = CredentialEnrolment.objects.create(
        user=people.ciso, credential=made.credential, public_key=made.public_key, proof=made.proof
    )
    with pytest.raises(ProofInvalid):
        passkeys.enrol_credential(forged.pk)


def test_a_wrong_signature_is_refused_at_once(people, first):
    new = SoftPasskey()
    row = new.add_to(people.dpo)
    with pytest.raises(ProofInvalid):
        offer(people.dpo, new, row)
    with pytest.raises(ProofInvalid):
        passkeys.enter_roster(row.pk, by=people.dpo, answer={"id": "x"}, interactive=True)


def test_p8_a_token_brings_in_no_passkey(people, first):
    """P8"""
    row = SoftPasskey().add_to(people.dpo)
    with pytest.raises(InteractiveRequired):
        passkeys.enter_roster(row.pk, by=people.dpo, answer={}, interactive=False)


def test_who_has_none_in_the_roster_asks_for_a_request(people, first):
    row = SoftPasskey().add_to(people.ciso)
    with pytest.raises(Invalid, match="decided request"):
        passkeys.begin(row.pk, by=people.ciso)
    assert [line.can_enter for line in passkeys.own(people.ciso)] == [False]


def test_others_have_no_place_in_the_roster(people, first):
    row = SoftPasskey().add_to(people.operator)
    with pytest.raises(NotEligible):
        passkeys.begin(row.pk, by=people.operator)


def test_somebody_elses_passkey_is_not_found(people, first):
    row = SoftPasskey().add_to(people.ciso)
    with pytest.raises(NotFound):
        passkeys.begin(row.pk, by=people.dpo)


def test_what_stands_in_the_roster_does_not_enter_again(people, first):
    [line] = passkeys.own(people.dpo)
    with pytest.raises(NotNow):
        passkeys.begin(line.id, by=people.dpo)
