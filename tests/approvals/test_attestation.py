"""What breaks evidence: each fault in the worked example of docs/evidence-format.md is found, offline."""

import base64
import copy
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from approvals.attestation.bundle import verify_bundle
from approvals.errors import EvidenceInvalid
from tests.audit.evidence import document

ORIGIN = "http://localhost:8000"


@pytest.fixture
def bundle() -> dict[str, Any]:
    """The worked example."""
    return json.loads(document.BUNDLE.read_text())


def key_of(bundle: dict[str, Any]) -> Ed25519PublicKey:
    """The example's own public key."""
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(bundle["key"]["public_key"]))


KEY = key_of(json.loads(document.BUNDLE.read_text()))


def test_the_worked_example_holds(bundle):
    assert len(verify_bundle(bundle, KEY, origin=ORIGIN).proven) >= 6


def _statement(bundle: dict[str, Any]) -> None:
    changed = base64.b64decode(bundle["statement"]).replace(b"Yes", b"No!")
    bundle["statement"] = base64.b64encode(changed).decode()


def _digest_too(bundle: dict[str, Any]) -> None:
    _statement(bundle)
    bundle["request"]["digest"] = hashlib.sha256(base64.b64decode(bundle["statement"])).hexdigest()


def _flip(envelope: dict[str, Any]) -> None:
    signature = envelope["signatures"][0]["sig"]
    envelope["signatures"][0]["sig"] = ("A" if signature[0] != "A" else "B") + signature[1:]


BROKEN = {
    "statement": _statement,
    "statement and digest": _digest_too,
    "number": lambda b: b["request"].update(number=1),
    "execution": lambda b: _flip(b["execution"]),
    "roster": lambda b: _flip(b["rosters"][0]),
    "no roster": lambda b: b.update(rosters=[]),
    "order": lambda b: _flip(b["order"]),
    "attestation": lambda b: _flip(b["attestations"][0]),
    "an order for an attestation": lambda b: b["attestations"].append(b["order"]),
    "no order": lambda b: b.update(order=None),
    "vote left out": lambda b: b.update(votes=[]),
    "vote of another": lambda b: b["votes"][0].update(voter=b["request"]["id"]),
    "vote's comment": lambda b: b["votes"][0].update(comment="No."),
    "vote's proof": lambda b: b["votes"][0].update(proof={"factor": "totp", "nonce": "n"}),
    "vote twice": lambda b: b["votes"].append(copy.deepcopy(b["votes"][0])),
    "entry left out": lambda b: b["log"]["entries"].pop(0),
    "entry's proof": lambda b: b["log"]["entries"][0].update(proof=[]),
    "entry's bytes": lambda b: b["log"]["entries"][0].update(entry=b["log"]["entries"][1]["entry"]),
    "checkpoint": lambda b: b["log"].update(checkpoint=b["log"]["checkpoint"].replace("\n— ", "\n— x")),
    "no checkpoint": lambda b: b["log"].update(checkpoint=None),
    "key": lambda b: b["key"].update(keyid="0" * 64),
    "version": lambda b: b.update(version=2),
    "a part missing": lambda b: b.pop("log"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_evidence_with_a_fault_does_not_hold(bundle, fault):
    BROKEN[fault](bundle)
    with pytest.raises(EvidenceInvalid):
        verify_bundle(bundle, KEY, origin=ORIGIN)


def test_evidence_does_not_hold_for_another_site(bundle):
    with pytest.raises(EvidenceInvalid):
        verify_bundle(bundle, KEY, origin="https://elsewhere.example")


def test_evidence_does_not_hold_under_another_key(bundle):
    with pytest.raises(EvidenceInvalid):
        verify_bundle(bundle, Ed25519PrivateKey.generate().public_key(), origin=ORIGIN)
