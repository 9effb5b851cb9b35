"""What the worker found when it counted the votes, signed: the web may write rows, but not this."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from approvals.statement import read_time, written
from audit import dsse
from audit.errors import Forged

PAYLOAD_TYPE = "application/vnd.veeamsec.execution+json"
TYPE, VERSION = "veeamsec-execution", 1


@dataclass(frozen=True, slots=True)
class Finding:
    """The count behind one execution: which votes, how far proven, by which roster, from when on approved."""

    request: UUID
    request_digest: str
    approved_at: datetime
    approved_by: str
    level: str
    roster_number: int
    roster_sha256: str
    votes: Mapping[UUID, str]
    log_index: int
    time: datetime


def build(finding: Finding) -> bytes:
    """Return the canonical bytes of a finding; votes stand in the order of their ids."""
    ordered = sorted((str(vote), level) for vote, level in finding.votes.items())
    return rfc8785.dumps(
        {
            "approved_at": written(finding.approved_at),
            "approved_by": finding.approved_by,
            "level": finding.level,
            "log_index": finding.log_index,
            "request": str(finding.request),
            "request_digest": finding.request_digest,
            "roster": {"number": finding.roster_number, "sha256": finding.roster_sha256},
            "time": written(finding.time),
            "type": TYPE,
            "version": VERSION,
            "votes": [{"level": level, "vote": vote} for vote, level in ordered],
        }
    )


def sign(finding: Finding, key: Ed25519PrivateKey, keyid: str) -> dict[str, Any]:
    """Return the signed envelope of a finding."""
    return dsse.sign(build(finding), key, keyid, payload_type=PAYLOAD_TYPE)


def open_finding(envelope: object, public_key: Ed25519PublicKey) -> Finding:
    """Return what the worker signed; raises Forged."""
    if not isinstance(envelope, Mapping):
        raise Forged("The worker signed no finding about this request.")
    payload = dsse.open_envelope(envelope, public_key, payload_type=PAYLOAD_TYPE)
    try:
        found = _read(json.loads(payload))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Forged("The worker's finding cannot be read.") from error
    if build(found) != payload:
        raise Forged("The worker's finding is not in canonical form.")
    return found


def _read(fields: dict[str, Any]) -> Finding:
    if fields["type"] != TYPE or fields["version"] != VERSION:
        raise ValueError("another kind of document")
    return Finding(
        request=UUID(fields["request"]),
        request_digest=fields["request_digest"],
        approved_at=read_time(fields["approved_at"]),
        approved_by=fields["approved_by"],
        level=fields["level"],
        roster_number=int(fields["roster"]["number"]),
        roster_sha256=fields["roster"]["sha256"],
        votes={UUID(vote["vote"]): str(vote["level"]) for vote in fields["votes"]},
        log_index=int(fields["log_index"]),
        time=read_time(fields["time"]),
    )
