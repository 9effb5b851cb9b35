"""How each vote is proven, in words: by what the worker signed, and by nothing else."""

import pytest

from approvals.models import ApprovalRequest, Vote
from tests.approvals.conftest import approve, roster, work  # noqa: F401
from veeamsec.pages import proofs

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(people, roster, pending):  # noqa: F811
    """An executed request, approved with a code."""
    approve(people.dpo, pending)
    return work(pending)


def vote_with(factor: str) -> Vote:
    return Vote(verdict="approve", proof={"factor": factor})


def test_before_the_worker_counted_a_signature_waits_for_it():
    said = proofs.Proofs().words_of(vote_with("passkey"))
    assert said == "with a passkey; the worker verifies it before it acts"


def test_nobody_verifies_a_code_afterwards():
    assert proofs.Proofs().words_of(vote_with("totp")) == "with an authenticator app"


def test_a_code_is_recorded(done):
    assert proofs.of(done).words_of(done.votes.get()) == "recorded, with an authenticator app"


def test_the_record_names_the_roster(done):
    [proof, verified] = proofs.of(done).facts()
    assert (proof.words, verified.at is not None) == ("Recorded, not signed; counted by roster 1.", True)


def test_a_forged_finding_proves_nothing(done):
    """P5: what the worker did not sign is no proof."""
    envelope = dict(done.execution)
    envelope["payload"] = envelope["payload"][:-4] + "AAAA"
    forged = ApprovalRequest(pk=done.pk, digest=done.digest, execution=envelope)
    assert proofs.of(forged).facts()[0].words == "The worker's finding about the votes does not verify."


def test_the_finding_of_another_request_proves_nothing(done):
    other = ApprovalRequest(digest=done.digest, execution=done.execution)
    assert proofs.of(other).broken
