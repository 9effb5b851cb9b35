"""P8: a passkey's proof holds for exactly one decision, at one site, by a verified user."""

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from fido2.utils import websafe_decode, websafe_encode

from accounts.errors import ProofInvalid
from accounts.stepup_proof import MAX_RESPONSE, Binding, canonical, challenge, counter, verify_passkey
from tests.accounts.soft_passkey import ORIGIN, RP_ID, USER_PRESENT, USER_VERIFIED, SoftPasskey

BINDING = Binding(
    request=uuid.UUID("00000000-0000-4000-8000-000000000001"),
    digest="a" * 64,
    verdict="approve",
    capacity="security",
    person=uuid.UUID("00000000-0000-4000-8000-000000000002"),
    comment_digest="b" * 64,
)
NONCE = "n" * 43


def signed(passkey: SoftPasskey, binding: Binding = BINDING, **how: Any) -> dict[str, Any]:
    """A proof over a binding."""
    response = passkey.sign(websafe_encode(challenge(binding, NONCE)), **how)
    return {"factor": "passkey", "nonce": NONCE, "credential": response["id"], "response": response}


def verify(
    proof: dict[str, Any], passkey: SoftPasskey, binding: Binding = BINDING, last_count: int = 0
) -> None:
    """Verify at our site."""
    verify_passkey(proof, binding, passkey.public_key, origin=ORIGIN, rp_id=RP_ID, last_count=last_count)


@pytest.fixture
def passkey() -> SoftPasskey:
    return SoftPasskey()


def test_the_challenge_is_over_canonical_json() -> None:
    """P5: docs/evidence-format.md has these bytes."""
    assert canonical(BINDING, "n") == (
        b'{"capacity":"security","comment_digest":"'
        + b"b" * 64
        + b'","digest":"'
        + b"a" * 64
        + b'","nonce":"n",'
        b'"person":"00000000-0000-4000-8000-000000000002","request":"00000000-0000-4000-8000-000000000001",'
        b'"verdict":"approve"}'
    )


def test_a_sound_proof_passes(passkey: SoftPasskey) -> None:
    verify(signed(passkey), passkey)


def test_a_proof_that_went_through_json_passes(passkey: SoftPasskey) -> None:
    verify(json.loads(json.dumps(signed(passkey))), passkey)


@pytest.mark.parametrize(
    "other",
    [
        {"request": uuid.UUID(int=9)},
        {"digest": "c" * 64},
        {"verdict": "reject"},
        {"capacity": "administrator"},
        {"person": uuid.UUID(int=9)},
        {"comment_digest": "c" * 64},
    ],
)
def test_a_proof_for_another_decision_is_refused(passkey: SoftPasskey, other: dict[str, Any]) -> None:
    """P8: every part of the decision is bound."""
    with pytest.raises(ProofInvalid, match="another decision"):
        verify(signed(passkey), passkey, replace(BINDING, **other))


def test_another_nonce_is_refused(passkey: SoftPasskey) -> None:
    with pytest.raises(ProofInvalid, match="another decision"):
        verify(signed(passkey) | {"nonce": "m" * 43}, passkey)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:8001", "https://localhost:8000"]
)
def test_another_origin_is_refused(passkey: SoftPasskey, origin: str) -> None:
    with pytest.raises(ProofInvalid, match="another site"):
        verify(signed(passkey, origin=origin), passkey)


def test_another_relying_party_is_refused(passkey: SoftPasskey) -> None:
    with pytest.raises(ProofInvalid, match="another site"):
        verify(signed(passkey, rp_id="evil.example"), passkey)


@pytest.mark.parametrize("flags", [0, USER_PRESENT, USER_VERIFIED])
def test_an_unverified_user_is_refused(passkey: SoftPasskey, flags: int) -> None:
    with pytest.raises(ProofInvalid, match="verify its user"):
        verify(signed(passkey, flags=flags), passkey)


def test_a_registration_is_no_proof(passkey: SoftPasskey) -> None:
    with pytest.raises(ProofInvalid, match="no sign-in"):
        verify(signed(passkey, kind="webauthn.create"), passkey)


def test_another_key_is_refused(passkey: SoftPasskey) -> None:
    with pytest.raises(ProofInvalid, match="signature"):
        verify(signed(passkey), SoftPasskey(id=passkey.id))


def test_an_altered_signature_is_refused(passkey: SoftPasskey) -> None:
    proof = signed(passkey)
    raw = bytearray(websafe_decode(proof["response"]["response"]["signature"]))
    raw[-1] ^= 1
    proof["response"]["response"]["signature"] = websafe_encode(bytes(raw))
    with pytest.raises(ProofInvalid, match="signature"):
        verify(proof, passkey)


@pytest.mark.parametrize("count", [3, 5])
def test_a_counter_that_does_not_rise_is_refused(passkey: SoftPasskey, count: int) -> None:
    with pytest.raises(ProofInvalid, match="counter"):
        verify(signed(passkey, count=count), passkey, last_count=5)


def test_a_passkey_that_never_counts_passes(passkey: SoftPasskey) -> None:
    verify(signed(passkey, count=0), passkey)


def test_the_counter_is_read(passkey: SoftPasskey) -> None:
    assert counter(signed(passkey, count=7)) == 7


@pytest.mark.parametrize(
    "change",
    [
        {"factor": "totp"},
        {"response": None},
        {"response": "x"},
        {"response": {}},
        {"response": {"id": 1}},
        {"nonce": 1},
        {"credential": None},
        {"credential": "AAAA"},
    ],
)
def test_a_malformed_proof_is_refused(passkey: SoftPasskey, change: dict[str, Any]) -> None:
    with pytest.raises(ProofInvalid):
        verify(signed(passkey) | change, passkey)


@pytest.mark.parametrize("client", [b"[]", b"1", b"{", b'{"type": "webauthn.get"}', b"\xff"])
def test_malformed_client_data_is_refused(passkey: SoftPasskey, client: bytes) -> None:
    proof = signed(passkey)
    proof["response"]["response"]["clientDataJSON"] = websafe_encode(client)
    with pytest.raises(ProofInvalid):
        verify(proof, passkey)


def test_an_endless_answer_is_refused_before_work(passkey: SoftPasskey) -> None:
    proof = signed(passkey)
    proof["response"]["response"]["signature"] = "A" * (MAX_RESPONSE + 1)
    with pytest.raises(ProofInvalid, match="too long"):
        verify(proof, passkey)


@pytest.mark.parametrize("key", [b"", b"\x00", b"\xa0", b"\xa1\x03\x18\x63"])
def test_a_broken_public_key_is_refused(passkey: SoftPasskey, key: bytes) -> None:
    with pytest.raises(ProofInvalid):
        verify_passkey(signed(passkey), BINDING, key, origin=ORIGIN, rp_id=RP_ID)
