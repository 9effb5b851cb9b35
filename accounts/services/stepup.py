"""A fresh proof, used once, that a person stands behind one decision (P8).

`begin` hands out a nonce bound to the whole decision; `consume` uses it up, whatever follows, and returns
the proof that is stored with the vote. allauth's own window of recent sign-ins is never asked: it is good for
more than one act.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from fido2 import cbor
from fido2.utils import websafe_encode

from accounts import stepup_proof
from accounts.errors import InteractiveRequired, StepUpRequired
from accounts.models import User
from accounts.services import factors
from accounts.stepup_proof import Binding

__all__ = ["Binding", "StepUp", "begin", "consume", "passkeys"]

NONCE_SECONDS = 300
FAILURES = 10
FAILURE_SECONDS = 900


class Revealed(Protocol):
    """A secret that is read where it is used and nowhere else."""

    def reveal(self) -> bytes:
        """Return its bytes."""


@dataclass(frozen=True, slots=True)
class StepUp:
    """What came with a decision: the nonce and exactly one factor."""

    nonce: str
    passkey: dict[str, Any] | None = None
    totp: str | None = None
    password: Revealed | str | None = None

    def __repr__(self) -> str:
        return "StepUp(…)"


def begin(user: User, binding: Binding, *, mfa_required: bool = True) -> dict[str, Any]:
    """Start a step-up for one decision: {nonce, public_key: options for the browser or None, factors}."""
    _check_person(user, binding)
    nonce = secrets.token_urlsafe(32)
    cache.set(_nonce_key(nonce), _state(user, binding, nonce), NONCE_SECONDS)
    found = passkeys(user)
    offered = ["passkey"] if found else []
    if Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).exists():
        offered.append("totp")
    if not mfa_required:
        offered.append("password")
    options = _options(stepup_proof.challenge(binding, nonce), list(found)) if found else None
    return {"nonce": nonce, "public_key": options, "factors": offered}


def consume(step_up: StepUp, *, by: User, binding: Binding, mfa_required: bool) -> dict[str, Any]:
    """Use up a step-up and return its proof; StepUpRequired unless it holds for exactly this decision."""
    spent = _spend(step_up.nonce)
    _check_person(by, binding)
    _check_rate(by)
    try:
        if spent != _state(by, binding, step_up.nonce):
            raise StepUpRequired("This confirmation is over, used, or for another decision. Start it again.")
        return _prove(step_up, by, binding, mfa_required)
    except StepUpRequired:
        _count_failure(by)
        raise


def passkeys(user: User) -> dict[str, Authenticator]:
    """Return the user's passkeys by credential id (base64url)."""
    rows = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.WEBAUTHN)
    return {websafe_encode(row.wrap().authenticator_data.credential_data.credential_id): row for row in rows}


def rp_id() -> str:
    """Return the relying party's id: the host of the one origin."""
    return urlsplit(settings.VEEAMSEC_ORIGIN).hostname or ""


def _prove(step_up: StepUp, by: User, binding: Binding, mfa_required: bool) -> dict[str, Any]:
    given = [name for name in ("passkey", "totp", "password") if getattr(step_up, name) is not None]
    match given:
        case ["passkey"]:
            return _use_passkey(step_up, by, binding)
        case ["totp"]:
            factors.use_totp(by, str(step_up.totp))
        case ["password"] if mfa_required:
            raise StepUpRequired("A password does not do here: use your passkey or your authenticator app.")
        case ["password"]:
            _check_password(step_up, by)
        case _:
            raise StepUpRequired("Confirm with exactly one factor.")
    return {"factor": given[0], "nonce": step_up.nonce}


def _use_passkey(step_up: StepUp, by: User, binding: Binding) -> dict[str, Any]:
    response = step_up.passkey or {}
    credential = response.get("id")
    row = passkeys(by).get(credential) if isinstance(credential, str) else None
    if row is None:
        raise StepUpRequired("This passkey is not one of yours.")
    proof = {"factor": "passkey", "nonce": step_up.nonce, "credential": credential, "response": response}
    with transaction.atomic():
        # Under the lock, so that a copied key cannot present one counter twice.
        row = Authenticator.objects.select_for_update().get(pk=row.pk)
        stepup_proof.verify_passkey(
            proof,
            binding,
            public_key(row),
            origin=settings.VEEAMSEC_ORIGIN,
            rp_id=rp_id(),
            last_count=row.data.get("sign_count", row.wrap().authenticator_data.counter),
        )
        row.data["sign_count"] = stepup_proof.counter(proof)
        row.save(update_fields=["data"])
        row.record_usage()
    return proof


def public_key(row: Authenticator) -> bytes:
    """Return a passkey's COSE key as the authenticator made it."""
    return cbor.encode(dict(row.wrap().authenticator_data.credential_data.public_key))


def public_key_text(row: Authenticator) -> str:
    """Return a passkey's COSE key in base64url, as a roster holds it."""
    return websafe_encode(public_key(row))


def _check_password(step_up: StepUp, by: User) -> None:
    given = step_up.password
    text = given if isinstance(given, str) else given.reveal().decode() if given is not None else ""
    # A long text costs the hasher time before it can be wrong.
    if len(text) > 1024 or not by.check_password(text):
        raise StepUpRequired("That password is not right.")


def _check_person(user: User, binding: Binding) -> None:
    if not user.is_human or not user.is_active:
        raise InteractiveRequired("Only a person at a browser decides.")
    if binding.person != user.person_id:
        raise StepUpRequired("This confirmation is for another person.")


def _options(challenge: bytes, credentials: list[str]) -> dict[str, Any]:
    return {
        "challenge": websafe_encode(challenge),
        "rpId": rp_id(),
        "allowCredentials": [{"type": "public-key", "id": credential} for credential in credentials],
        "userVerification": "required",
        "timeout": NONCE_SECONDS * 1000,
    }


def _state(user: User, binding: Binding, nonce: str) -> str:
    return f"{user.pk}|{stepup_proof.challenge(binding, nonce).hex()}"


def _nonce_key(nonce: str) -> str:
    # Hashed: what a client sends becomes no key of the cache.
    return f"stepup-{hashlib.sha256(nonce.encode('utf-8', 'replace')).hexdigest()}"


def _spend(nonce: str) -> str | None:
    key = _nonce_key(nonce)
    state: str | None = cache.get(key)
    # Of two that read it at once, one deletes it.
    return state if cache.delete(key) else None


def _failures_key(user: User) -> str:
    return f"stepup-failed-{user.pk}"


def _check_rate(user: User) -> None:
    if cache.get(_failures_key(user), 0) >= FAILURES:
        minutes = FAILURE_SECONDS // 60
        raise StepUpRequired(f"Too many failed confirmations. Try again in {minutes} minutes.")


def _count_failure(user: User) -> None:
    key = _failures_key(user)
    cache.add(key, 0, FAILURE_SECONDS)
    try:
        cache.incr(key)
    except ValueError:
        cache.set(key, 1, FAILURE_SECONDS)
