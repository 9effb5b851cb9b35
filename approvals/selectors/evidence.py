"""The bundle that an auditor takes away: all about one request that can be checked without the database."""

import base64
from typing import Any

from accounts.models import Roster
from approvals.attestation.bundle import TYPE, VERSION
from approvals.attestation.votes import Cast
from approvals.models import ApprovalRequest, Vote
from approvals.statement import written
from audit import keys
from audit import selectors as log
from audit.models import Checkpoint, Entry
from encryption.models import Attestation


def evidence(request: ApprovalRequest) -> dict[str, Any]:
    """Return the bundle of a request as it stands; its form is normative in docs/evidence-format.md."""
    public = keys.signing_public()
    attestations = Attestation.objects.filter(rekey__request=request.pk).order_by("job_id")
    rosters = Roster.objects.filter(created_at__lte=request.ended_at) if request.ended_at else Roster.objects
    return {
        "attestations": [row.envelope for row in attestations],
        "execution": request.execution,
        "key": {
            "keyid": keys.keyid(public),
            "public_key": base64.b64encode(public.public_bytes_raw()).decode(),
        },
        "log": _log(request),
        "order": request.rekey.order if request.rekey else None,
        "request": {
            "digest": request.digest,
            "ended_at": written(request.ended_at) if request.ended_at else None,
            "id": str(request.pk),
            "kind": request.kind,
            "number": request.number,
            "outcome": request.outcome,
            "state": request.state,
        },
        "rosters": [row.envelope for row in rosters.order_by("number")],
        "statement": base64.b64encode(bytes(request.statement)).decode(),
        "type": TYPE,
        "version": VERSION,
        "votes": [cast_of(vote).as_json() for vote in request.votes.order_by("cast_at", "pk")],
    }


def cast_of(vote: Vote) -> Cast:
    """Return a vote's row as plain values, in whole seconds as statements write them."""
    return Cast(
        id=vote.pk,
        voter=vote.voter_id,
        person=vote.person_id,
        capacity=vote.capacity,
        title=vote.title,
        verdict=vote.verdict,
        comment=vote.comment,
        digest=vote.digest,
        proof=vote.proof,
        cast_at=vote.cast_at.replace(microsecond=0),
    )


def _log(request: ApprovalRequest) -> dict[str, Any]:
    """Return the entries about a request and its re-key under the newest checkpoint, each with its proof."""
    checkpoint = log.head()
    verifier = keys.log_verifier(keys.signing_public())
    if checkpoint is None:
        return {"checkpoint": None, "entries": [], "vkey": verifier.vkey}
    subjects = [str(request.pk), *([str(request.rekey_id)] if request.rekey_id else [])]
    rows = Entry.objects.filter(subject_id__in=subjects, sequence__lt=checkpoint.size).order_by("sequence")
    return {
        "checkpoint": checkpoint.note,
        "entries": [_entry(row, checkpoint) for row in rows],
        "vkey": verifier.vkey,
    }


def _entry(row: Entry, checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "entry": base64.b64encode(bytes(row.canonical)).decode(),
        "proof": [step.hex() for step in log.inclusion(row.sequence, checkpoint)],
        "sequence": row.sequence,
    }
