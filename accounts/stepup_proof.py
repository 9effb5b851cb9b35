"""What a passkey signs for a decision, and how anyone verifies it later: web, worker and offline verifier.

The challenge binds the nonce to request, digest, verdict, capacity, person and comment (WebAuthn 3, §7.2).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import rfc8785
from cryptography.exceptions import InvalidSignature
from fido2 import cbor
from fido2.cose import CoseKey
from fido2.utils import websafe_decode
from fido2.webauthn import AuthenticationResponse, CollectedClientData

from accounts.errors import ProofInvalid

# An assertion is about one kilobyte; more is not one.
MAX_RESPONSE = 16_384
MAX_KEY = 4_096


@dataclass(frozen=True, slots=True)
class Binding:
    """The one decision that a step-up is good for."""

    request: UUID
    digest: str
    verdict: str
    capacity: str
    person: UUID
    comment_digest: str


def canonical(binding: Binding, nonce: str) -> bytes:
    """Return the RFC 8785 text of a binding and its nonce."""
    fields = asdict(binding) | {
        "request": str(binding.request),
        "person": str(binding.person),
        "nonce": nonce,
    }
    return rfc8785.dumps(fields)


def challenge(binding: Binding, nonce: str) -> bytes:
    """Return the 32 bytes that the passkey is asked to sign over."""
    return hashlib.sha256(canonical(binding, nonce)).digest()


def verify_passkey(
    proof: Mapping[str, Any],
    binding: Binding,
    public_key: bytes,
    *,
    origin: str,
    rp_id: str,
    last_count: int = 0,
) -> None:
    """Accept a passkey proof of exactly this binding, or raise ProofInvalid.

    `public_key` is the credential's COSE key; `last_count` the highest signature counter seen before.
    """
    if not isinstance(proof.get("nonce"), str):
        raise ProofInvalid("The passkey's answer cannot be read.")
    signed = challenge(binding, proof["nonce"])
    verify_assertion(proof, signed, public_key, origin=origin, rp_id=rp_id, last_count=last_count)


def enrolment_challenge(new_public_key: bytes) -> bytes:
    """Return what a passkey of the roster signs to let in a further one: the digest of its COSE key."""
    return hashlib.sha256(new_public_key).digest()


def verify_assertion(
    proof: Mapping[str, Any],
    signed: bytes,
    public_key: bytes,
    *,
    origin: str,
    rp_id: str,
    last_count: int = 0,
) -> None:
    """Accept a passkey's answer to exactly this challenge, or raise ProofInvalid."""
    response = _parse(proof)
    client, data = response.response.client_data, response.response.authenticator_data
    if (
        proof["credential"] != proof["response"].get("id")
        or websafe_decode(proof["credential"]) != response.raw_id
    ):
        raise ProofInvalid("The proof names another passkey than the one that signed.")
    if client.type != CollectedClientData.TYPE.GET:
        raise ProofInvalid("This is no sign-in by a passkey.")
    if client.challenge != signed:
        raise ProofInvalid("The passkey signed for another decision.")
    if client.origin != origin or client.cross_origin:
        raise ProofInvalid("The passkey signed for another site.")
    if data.rp_id_hash != hashlib.sha256(rp_id.encode()).digest():
        raise ProofInvalid("The passkey belongs to another site.")
    if not (data.is_user_present() and data.is_user_verified()):
        raise ProofInvalid("The passkey did not verify its user.")
    # Synced passkeys keep the counter at zero; one that counts must go up, else it was cloned.
    if (last_count or data.counter) and data.counter <= last_count:
        raise ProofInvalid("The passkey's counter went back: it may be a copy.")
    _verify_signature(public_key, bytes(data) + client.hash, response.response.signature)


def counter(proof: Mapping[str, Any]) -> int:
    """Return the signature counter of a passkey proof."""
    return _parse(proof).response.authenticator_data.counter


def _parse(proof: Mapping[str, Any]) -> AuthenticationResponse:
    response = proof.get("response")
    if proof.get("factor") != "passkey" or not isinstance(response, dict):
        raise ProofInvalid("This is no proof by a passkey.")
    if not isinstance(proof.get("credential"), str):
        raise ProofInvalid("The passkey's answer cannot be read.")
    if _size(response) > MAX_RESPONSE:
        raise ProofInvalid("The passkey's answer is too long.")
    try:
        return AuthenticationResponse.from_dict(response)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ProofInvalid("The passkey's answer cannot be read.") from error


def _size(value: object) -> int:
    if isinstance(value, dict):
        return sum(_size(key) + _size(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(_size(item) for item in value)
    return len(str(value))


def _verify_signature(public_key: bytes, message: bytes, signature: bytes) -> None:
    if len(public_key) > MAX_KEY:
        raise ProofInvalid("The passkey's key is too long.")
    try:
        key = cbor.decode(public_key)
        if not isinstance(key, dict):
            raise ProofInvalid("The passkey's key cannot be read.")
        CoseKey.parse(key).verify(message, signature)
    except InvalidSignature as error:
        raise ProofInvalid("The passkey's signature does not hold.") from error
    except (ValueError, TypeError, LookupError, NotImplementedError) as error:
        raise ProofInvalid("The passkey's key cannot be read.") from error
