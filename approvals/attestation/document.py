"""The in-toto statement behind a badge: this job, with this key, was approved so and executed so."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from approvals.attestation.finding import Finding
from approvals.attestation.votes import Cast
from approvals.statement import Asker, written
from audit import dsse
from audit.errors import Forged

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://veeamsec.dev/attestation/v1"
_PREDICATE = frozenset(
    {
        "approved_at",
        "approved_by",
        "asker",
        "level",
        "log_index",
        "order_sha256",
        "proof",
        "request",
        "request_digest",
        "roster",
        "versions",
        "votes",
    }
)


@dataclass(frozen=True, slots=True)
class Executed:
    """One job's executed step."""

    job: UUID
    fingerprint: str
    proof: Mapping[str, Any]
    order_sha256: str
    # Every version of this job's points that Security approved, or, without Security, this one alone.
    versions: Iterable[UUID]


def build(
    executed: Executed, found: Finding, asker: Asker, casts: Iterable[Cast], roster: Mapping[str, Any]
) -> bytes:
    """Return the canonical bytes of the statement; `roster` is the envelope that votes were counted by."""
    counted = [cast for cast in casts if cast.id in found.votes]
    predicate: dict[str, Any] = {
        "approved_at": written(found.approved_at),
        "approved_by": found.approved_by,
        "asker": asker.as_json(),
        "level": found.level,
        "log_index": found.log_index,
        "order_sha256": executed.order_sha256,
        "proof": dict(executed.proof),
        "request": str(found.request),
        "request_digest": found.request_digest,
        "roster": dict(roster),
        "versions": sorted(str(version) for version in executed.versions),
        "votes": [cast.as_json() | {"level": found.votes[cast.id]} for cast in counted],
    }
    subject: dict[str, Any] = {"digest": {"sha256": executed.fingerprint}, "name": f"job:{executed.job}"}
    return rfc8785.dumps(
        {
            "_type": STATEMENT_TYPE,
            "predicate": predicate,
            "predicateType": PREDICATE_TYPE,
            "subject": [subject],
        }
    )


@dataclass(frozen=True, slots=True)
class Attested:
    """What an attestation says of its job."""

    job: UUID
    fingerprint: str
    predicate: Mapping[str, Any]


def open_document(envelope: Mapping[str, Any], public_key: Ed25519PublicKey) -> Attested:
    """Return what the worker attested; raises Forged."""
    payload = dsse.open_envelope(envelope, public_key)
    try:
        body = json.loads(payload)
        [subject] = body["subject"]
        kind, _, job = subject["name"].partition(":")
        same = body["_type"] == STATEMENT_TYPE and body["predicateType"] == PREDICATE_TYPE
        if not same or kind != "job" or body["predicate"].keys() != _PREDICATE:
            raise ValueError("another kind of document")
        found = Attested(UUID(job), subject["digest"]["sha256"], body["predicate"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Forged("The attestation cannot be read.") from error
    if rfc8785.dumps(body) != payload:
        raise Forged("The attestation is not in canonical form.")
    return found
