"""The worked example: the product's own builders, fixed keys, one story from asking to executed."""

import base64
import hashlib
import json
from typing import Any

import rfc8785
from fido2.utils import websafe_encode

from accounts import roster
from approvals.attestation import bundle
from approvals.attestation import finding as findings
from audit import dsse, merkle, note, statement
from encryption import order as orders

from . import papers
from .papers import sha256
from .people import KEY, KEYID, LOG, ORIGIN, REQUEST, make_roster

# The entry that the document shows.
SHOWN = 3
PUBLIC = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()

said, body = papers.make_statement(), make_roster()
digest = sha256(said)
cast, challenge = papers.make_vote(digest)
entries = papers.make_log(digest, challenge["comment_digest"])
leaves = [merkle.leaf_hash(entry) for entry in entries]
head = note.Head(LOG.name, len(entries), merkle.root(leaves))
checkpoint = note.sign(head.text, LOG.name, KEY)
finding = papers.make_finding(digest, cast)
order = papers.make_order(digest)
signed_roster, signed_order = roster.sign(body, KEY, KEYID), orders.sign(order, KEY, KEYID)
attested = papers.attest(finding, cast, signed_order, signed_roster)


def proof(at: int) -> list[str]:
    """The inclusion proof of one entry."""
    steps = merkle.inclusion_proof(at, len(entries), merkle.subtrees(leaves))
    return [step.hex() for step in steps]


def values() -> dict[str, str]:
    """Every number that a reader recomputes from the other blocks."""
    salt, name = papers.name_of(SHOWN)
    return {
        "attestation_sha256": sha256(attested),
        "challenge_base64url": websafe_encode(hashlib.sha256(rfc8785.dumps(challenge)).digest()),
        "entry_sha256": sha256(entries[SHOWN]),
        "execution_sha256": sha256(findings.build(finding)),
        "keyid": KEYID,
        "name": name,
        "name_commitment": statement.commitment(salt, name),
        "name_salt": salt.hex(),
        "order_envelope_sha256": sha256(rfc8785.dumps(signed_order)),
        "order_sha256": sha256(orders.build(order)),
        "origin": ORIGIN,
        "public_key_base64": PUBLIC,
        "roster_sha256": sha256(body),
        "statement_sha256": digest,
        "vkey": LOG.vkey,
    }


def whole() -> dict[str, Any]:
    """The bundle."""
    rows = [
        {"entry": base64.b64encode(entries[at]).decode(), "proof": proof(at), "sequence": at}
        for at in range(1, len(entries))
    ]
    return {
        "attestations": [dsse.sign(attested, KEY, KEYID)],
        "execution": findings.sign(finding, KEY, KEYID),
        "key": {"keyid": KEYID, "public_key": PUBLIC},
        "log": {"checkpoint": checkpoint, "entries": rows, "vkey": LOG.vkey},
        "order": signed_order,
        "request": {
            "digest": digest,
            "ended_at": "2026-11-02T13:05:00Z",
            "id": str(REQUEST),
            "kind": "change_password",
            "number": 1042,
            "outcome": "Done, and proven by reading back.",
            "state": "executed",
        },
        "rosters": [signed_roster],
        "statement": base64.b64encode(said).decode(),
        "type": bundle.TYPE,
        "version": bundle.VERSION,
        "votes": [cast.as_json()],
    }


def blocks() -> dict[str, str]:
    """Every block of the document by its name."""
    shown = {"leaf_hash": leaves[SHOWN].hex(), "proof": proof(SHOWN), "root": head.root.hex()}
    told = {
        "statement": json.loads(said),
        "challenge": challenge,
        "vote": cast.as_json(),
        "roster": json.loads(body),
        "envelope": signed_roster,
        "execution": json.loads(findings.build(finding)),
        "order": json.loads(orders.build(order)),
        "attestation": json.loads(attested),
        "entry": json.loads(entries[SHOWN]),
        "proof": shown,
        "values": values(),
    }
    return {"checkpoint": checkpoint.removesuffix("\n")} | {name: pretty(it) for name, it in told.items()}


def pretty(value: object) -> str:
    """JSON for people; its canonical form is what counts."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
