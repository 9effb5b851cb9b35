"""The papers of the worked example: statement, vote, log entries, order, finding and attestation."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import rfc8785
from fido2.utils import websafe_encode

from accounts import stepup_proof
from approvals import statement as statements
from approvals.attestation import document
from approvals.attestation.finding import Finding
from approvals.attestation.votes import Cast
from audit import statement
from audit.events import Event
from audit.statement import Draft
from encryption import order as orders

from .people import (
    DORA,
    DORAS,
    JOB,
    NEW_VERSION,
    NOON,
    OLD_VERSION,
    OPERATOR,
    PASSWORD,
    PERSON,
    REKEY,
    REQUEST,
    USER_KEY,
    VOTE,
    make_roster,
    number,
)

OLD, NEW = hashlib.sha256(b"old keyring").hexdigest(), hashlib.sha256(b"new keyring").hexdigest()

CHANGE = {
    "encryption_password": str(PASSWORD),
    "from_version": 1,
    "hint": "Payroll, safe 2",
    "new": False,
    "scope": "keys",
    "secret_sha256": hashlib.sha256(b"sealed").hexdigest(),
    "start": "next_run",
    "version": 2,
}
TARGETS = [
    {
        "fingerprint": OLD,
        "id": str(JOB),
        "name": "Payroll",
        "password_version": str(OLD_VERSION),
        "plain_points": 0,
        "restore_points": 3,
        "type": "job",
    },
    {
        "fingerprint": "",
        "id": str(PASSWORD),
        "name": "Payroll, safe 2",
        "password_version": str(OLD_VERSION),
        "plain_points": 0,
        "restore_points": 3,
        "type": "password",
    },
]
CONSEQUENCES = [
    {
        "encrypted_points": 3,
        "job": str(JOB),
        "name": "Payroll",
        "text": "The new password opens 3 restore points; the former one opens none of them.",
        "what": "opens",
    }
]
CUSTODY = [
    {
        "custodian": "Data protection",
        "medium": "paper",
        "offline": True,
        "offsite": True,
        "place": "Safe 2",
    }
]
POLICY = {
    "administrators_may_approve": True,
    "advising_titles": [],
    "decide_days": 7,
    "execute_hours": 24,
    "fulls_a_night": 10,
    "id": str(number(41)),
    "mfa_required": True,
    "number": 1,
    "pools": [],
    "quorum": 1,
}


def make_statement() -> bytes:
    """A change of one password that one job uses."""
    said = statements.Statement(
        request=REQUEST,
        number=1042,
        kind="change_password",
        asker=statements.Asker(OPERATOR, PERSON[OPERATOR]),
        reason="An operator who knew the password has left.",
        change=CHANGE,
        targets=TARGETS,
        consequences=CONSEQUENCES,
        custody=CUSTODY,
        answers=[{"answer": "Yes", "question": "Is the password kept outside the backup team?"}],
        policy=POLICY,
        procedure=statements.procedure_of(1, "Ask first.", ["Is the password kept outside the backup team?"]),
        created=NOON,
        decide_by=NOON + timedelta(days=7),
    )
    return statements.build(said)


def make_vote(digest: str) -> tuple[Cast, dict[str, str]]:
    """Dora's approval by passkey, and the object that its challenge is the hash of."""
    comment, nonce = "Checked with the team.", websafe_encode(bytes(range(32)))
    binding = stepup_proof.Binding(
        REQUEST, digest, "approve", "security", PERSON[DORA], hashlib.sha256(comment.encode()).hexdigest()
    )
    proof = DORAS.prove(stepup_proof.challenge(binding, nonce), nonce)
    at = NOON + timedelta(hours=1)
    cast = Cast(VOTE, DORA, PERSON[DORA], "security", "dpo", "approve", comment, digest, proof, at)
    return cast, json.loads(stepup_proof.canonical(binding, nonce))


def make_log(digest: str, comment_digest: str) -> list[bytes]:
    """Six entries, each with its actor's name as a commitment."""
    request = "approvals.approvalrequest"
    told = {"number": 1042, "digest": digest}
    vote = {"capacity": "security", "comment_digest": comment_digest, "digest": digest}
    rows = [
        (Event.ROSTER_SIGNED, None, "security-role", "", {"number": 1, "sha256": sha256(make_roster())}),
        (
            Event.REQUEST_CREATED,
            OPERATOR,
            request,
            REQUEST,
            {"kind": "change_password", "token": False} | told,
        ),
        (Event.VOTE_CAST, DORA, request, REQUEST, {"factor": "passkey", "verdict": "approve"} | vote),
        (Event.REQUEST_APPROVED, DORA, request, REQUEST, told),
        (Event.REKEY_ENDED, None, "encryption.rekey", REKEY, {"state": "succeeded"}),
        (Event.REQUEST_EXECUTED, None, request, REQUEST, told),
    ]
    written = []
    for sequence, (event, actor, kind, ref, facts) in enumerate(rows):
        who, person = actor or statement.WORKER.pk, PERSON.get(actor)
        names = {"actor": statement.commitment(*name_of(sequence))} if actor else {}
        draft = Draft(event, who, person, kind, str(ref), facts, {})
        time = NOON + timedelta(minutes=sequence)
        written.append(statement.canonical(draft, sequence=sequence, time=time, commitments=names))
    return written


def name_of(sequence: int) -> tuple[bytes, str]:
    """The salt and the name behind an entry's commitment."""
    return bytes([sequence]) * 16, "olaf" if sequence == 1 else "dora"


def sha256(data: bytes) -> str:
    """Lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def make_finding(digest: str, cast: Cast) -> Finding:
    """What the worker found when it counted."""
    roster = sha256(make_roster())
    return Finding(
        REQUEST,
        digest,
        cast.cast_at,
        "security",
        "signed",
        1,
        roster,
        {VOTE: "signed"},
        3,
        NOON + timedelta(hours=1),
    )


def make_order(digest: str) -> orders.Order:
    """What the worker set itself to do."""
    target, time = orders.Target(JOB, OLD, NEW, USER_KEY), NOON + timedelta(hours=1)
    return orders.Order(
        "change", NEW_VERSION, REKEY, REQUEST, digest, "keys", "next_run", "keep", (target,), time
    )


def attest(finding: Any, cast: Cast, signed_order: dict[str, Any], signed_roster: dict[str, Any]) -> bytes:
    """The in-toto statement of the one job."""
    proof = {
        "fingerprint": NEW,
        "generation": 2,
        "lines": 4,
        "new_opens": True,
        "old_refused": True,
        "read_back_at": "2026-11-02T13:04:00Z",
        "user_key": str(USER_KEY),
    }
    executed = document.Executed(JOB, NEW, proof, sha256(rfc8785.dumps(signed_order)), [NEW_VERSION])
    asker = statements.Asker(OPERATOR, PERSON[OPERATOR])
    return document.build(executed, finding, asker, [cast], signed_roster)
