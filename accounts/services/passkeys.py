"""A further passkey enters the signed roster: one that stands in it signs the new one's digest.

The web process only hands the signature on; the worker verifies it by the roster and signs the next one. A
passkey that is given up leaves the roster in the same way.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.utils import timezone
from fido2.utils import websafe_decode, websafe_encode

from accounts import roster, selectors, stepup_proof
from accounts.errors import (
    InteractiveRequired,
    Invalid,
    NotEligible,
    NotFound,
    NotNow,
    ProofInvalid,
    RosterInvalid,
)
from accounts.models import CredentialEnrolment, Notice, User
from accounts.roster import Credential, Entry, RosterBody
from accounts.services import notices, rostering, stepup
from accounts.services.security_role import roster_in_force
from audit import queue
from audit import services as audit
from audit.events import Event
from audit.queue import Task

SUBJECT = "accounts.credentialenrolment"


@dataclass(frozen=True, slots=True)
class OwnPasskey:
    """One passkey of an account: `since` says from when it stands in the roster, None: not yet."""

    id: int
    name: str
    credential: str
    since: datetime | None
    # Whether one that is in could sign it in; else a decided request admits it.
    can_enter: bool
    # The newest time that it was signed in, and what the worker made of it.
    offered: CredentialEnrolment | None = None


def own(user: User) -> list[OwnPasskey]:
    """Return an account's passkeys, and how each stands to the roster in force."""
    entry = _entry(user)
    found = stepup.passkeys(user)
    known = {key.id: key for key in entry.credentials if key.id in found} if entry else {}
    offers = CredentialEnrolment.objects.filter(user=user, credential__in=list(found)).order_by("created_at")
    offered = {row.credential: row for row in offers}
    return [
        OwnPasskey(
            id=row.pk,
            name=str(row.wrap().name),
            credential=name,
            since=entry.known_since(known[name]) if entry and name in known else None,
            can_enter=bool(known) and name not in known,
            offered=offered.get(name),
        )
        for name, row in found.items()
    ]


def begin(authenticator_id: int, *, by: User) -> dict[str, Any]:
    """Return the options with which the browser asks a passkey of the roster to sign a new one in."""
    with audit.attempt(by=by, subject=by.pk):
        name, row = _new(authenticator_id, by)
        signed = stepup_proof.enrolment_challenge(stepup.public_key(row))
        known = [key.id for key in _signers(by) if key.id != name]
    return {
        "challenge": websafe_encode(signed),
        "rpId": stepup.rp_id(),
        "allowCredentials": [{"type": "public-key", "id": key} for key in known],
        "userVerification": "required",
        "timeout": stepup.NONCE_SECONDS * 1000,
    }


def enter_roster(
    authenticator_id: int, *, by: User, answer: dict[str, Any], interactive: bool
) -> CredentialEnrolment:
    """Hand the worker what a passkey of the roster signed; the next roster tells whether it was good.

    `answer` is WebAuthn's AuthenticationResponseJSON. ProofInvalid when it does not hold.
    """
    with audit.attempt(by=by, subject=by.pk) as attempt:
        if not interactive or not by.is_human:
            raise InteractiveRequired("Only a person at a browser does this.")
        name, row = _new(authenticator_id, by)
        proof = {"factor": "passkey", "credential": answer.get("id"), "response": answer}
        draft = CredentialEnrolment(
            user=by, credential=name, public_key=stepup.public_key_text(row), proof=proof
        )
        entry = _entry(by)
        if entry is None:
            raise NotEligible("You do not stand in the roster.")
        _verify(draft, entry)
        with attempt.act():
            draft.save(force_insert=True)
            audit.record(Event.CREDENTIAL_OFFERED, subject=by, facts={"enrolment": draft.pk})
            queue.ring(Task.ENROL_CREDENTIAL, draft.pk)
    return draft


def enrol_credential(enrolment_id: UUID) -> None:
    """As the worker: verify a signature by the roster in force, and sign the next one with the new passkey.

    ProofInvalid, NotEligible or RosterInvalid when it does not hold, which the row then says too; a second
    delivery changes nothing.
    """
    try:
        _enrol(enrolment_id)
    except (ProofInvalid, NotEligible, RosterInvalid) as refused:
        _refuse(enrolment_id, str(refused))
        raise


def drop_credentials(user_id: UUID) -> None:
    """As the worker: sign a roster without those passkeys that are not the account's any more.

    This takes trust away and gives none, so the rows that the web process writes are enough for it.
    """
    if selectors.newest_roster() is None:
        return
    signer = rostering.signer()
    with audit.act(by=audit.WORKER, subject=user_id):
        own_keys = stepup.passkeys(User.objects.get(pk=user_id))

        def without(body: RosterBody) -> RosterBody:
            entry = body.entry(user_id)
            kept = (key for key in entry.credentials if key.id in own_keys) if entry else ()
            return roster.with_credentials(body, user_id, tuple(kept))

        known = roster_in_force().entry(user_id)
        if known is not None and any(key.id not in own_keys for key in known.credentials):
            rostering.sign_next_within(without, signer)
            notices.tell_within([user_id], Notice.What.PASSKEY_LEFT_ROSTER)


def _enrol(enrolment_id: UUID) -> None:
    signer = rostering.signer()
    with audit.act(by=audit.WORKER, subject=(SUBJECT, enrolment_id)):
        row = CredentialEnrolment.objects.select_related("user").filter(pk=enrolment_id).first()
        if row is None:
            raise NotFound("There is no such enrolment of a passkey.")
        if row.state != CredentialEnrolment.State.WAITING:
            return
        if not row.user.is_active:
            raise NotEligible("This account is not active.")

        def with_new(body: RosterBody) -> RosterBody:
            entry = body.entry(row.user_id)
            if entry is None or entry.person != row.user.person_id:
                raise NotEligible("This account does not stand in the roster.")
            _verify(row, entry)
            if row.credential not in stepup.passkeys(row.user):
                raise NotEligible("This passkey is not the account's any more.")
            now = timezone.now().replace(microsecond=0)
            new = Credential(row.credential, row.public_key, since=now)
            return roster.with_credentials(body, row.user_id, (*entry.credentials, new))

        known = roster_in_force().entry(row.user_id)
        if known is None or known.credential(row.credential) is None:
            rostering.sign_next_within(with_new, signer)
            notices.tell_within([row.user_id], Notice.What.PASSKEY_IN_ROSTER)
        row.state = CredentialEnrolment.State.ENTERED
        row.save(update_fields=["state"])


def _refuse(enrolment_id: UUID, reason: str) -> None:
    with audit.act(by=audit.WORKER, subject=(SUBJECT, enrolment_id)):
        row = CredentialEnrolment.objects.select_for_update().get(pk=enrolment_id)
        if row.state == CredentialEnrolment.State.WAITING:
            row.state, row.reason = CredentialEnrolment.State.REFUSED, reason
            row.save(update_fields=["state", "reason"])
            notices.tell_within([row.user_id], Notice.What.PASSKEY_REFUSED)


def _verify(row: CredentialEnrolment, entry: Entry) -> None:
    """Raise ProofInvalid unless another passkey of this entry signed exactly this key."""
    proof = row.proof if isinstance(row.proof, dict) else {}
    signer = entry.credential(str(proof.get("credential", "")))
    if signer is None or signer.id == row.credential:
        raise ProofInvalid("A passkey that stands in the roster signs the new one.")
    new_key = websafe_decode(row.public_key)
    stepup_proof.verify_assertion(
        proof,
        stepup_proof.enrolment_challenge(new_key),
        websafe_decode(signer.public_key),
        origin=settings.VEEAMSEC_ORIGIN,
        rp_id=stepup.rp_id(),
    )


def _new(authenticator_id: int, by: User) -> tuple[str, Authenticator]:
    own_keys = stepup.passkeys(by)
    found = next(((name, row) for name, row in own_keys.items() if row.pk == authenticator_id), None)
    if found is None:
        raise NotFound("There is no such passkey of yours.")
    known = _signers(by)
    if any(key.id == found[0] for key in known):
        raise NotNow("This passkey stands in the roster already.")
    if not any(key.id in own_keys for key in known):
        raise Invalid("No passkey of yours stands in the roster yet: a decided request admits the first one.")
    return found


def _signers(user: User) -> tuple[Credential, ...]:
    entry = _entry(user)
    if entry is None:
        raise NotEligible("You do not stand in the roster: only Security and administrators do.")
    return entry.credentials


def _entry(user: User) -> Entry | None:
    body = roster_in_force()
    entry = body.entry(user.pk)
    return entry if entry is not None and entry.person == user.person_id else None
