"""Verifying evidence offline: from one public key to all that a bundle says (docs/evidence-format.md)."""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from accounts import roster as rosters
from accounts.errors import RosterInvalid
from accounts.roster import RosterBody
from approvals import rules, statement
from approvals.attestation import document, votes
from approvals.attestation import finding as findings
from approvals.attestation.finding import Finding
from approvals.attestation.votes import Cast
from approvals.errors import EvidenceInvalid, Refused
from approvals.statement import Statement
from audit import keys, merkle, note
from audit import statement as entries
from audit.errors import Forged
from audit.events import Event
from encryption import order as orders

TYPE, VERSION = "veeamsec-evidence", 1
# A request of 500 jobs with an attestation each stays below this.
MAX_BUNDLE = 64 * 1024 * 1024
_BROKEN = (Forged, RosterInvalid, Refused, ValueError, KeyError, TypeError, AttributeError, IndexError)


@dataclass
class Report:
    """What a bundle proves, in the order in which it was checked."""

    proven: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Note one thing that holds."""
        self.proven.append(line)


def verify_bundle(bundle: Mapping[str, Any], public_key: Ed25519PublicKey, *, origin: str) -> Report:
    """Return what a bundle proves under this key; raises EvidenceInvalid with the first thing that fails.

    `origin` is the address that passkeys signed for.
    """
    report = Report()
    try:
        if (bundle["type"], bundle["version"]) != (TYPE, VERSION):
            raise Forged("This is no bundle of evidence of a form that this version knows.")
        if bundle["key"]["keyid"] != keys.keyid(public_key):
            raise Forged("The bundle was signed by another key than the one it is checked with.")
        said, digest = _statement(bundle, report)
        casts = [Cast.from_json(fields) for fields in bundle["votes"]]
        if bundle["execution"] is not None:
            found = _finding(bundle, public_key, said, digest, casts, origin, report)
            order = _order(bundle, public_key, said, digest, report)
            _attestations(bundle, public_key, found, order, report)
        _log(bundle, public_key, digest, casts, report)
    except _BROKEN as error:
        what = str(error) if isinstance(error, Forged | Refused) else "The bundle cannot be read."
        raise EvidenceInvalid(what) from error
    return report


def _statement(bundle: Mapping[str, Any], report: Report) -> tuple[Statement, str]:
    data = _base64(bundle["statement"])
    said, digest = statement.parse(data), statement.digest(data)
    row = bundle["request"]
    if (row["digest"], row["id"], row["number"], row["kind"]) != (
        digest,
        str(said.request),
        said.number,
        said.kind,
    ):
        raise Forged("The request is not the one of the statement.")
    report.add(f"The statement of R-{said.number} ({said.kind}) has the digest {digest}.")
    return said, digest


def _roster(bundle: Mapping[str, Any], key: Ed25519PublicKey, found: Finding) -> RosterBody:
    """Return the roster that the worker counted by, at its place in an unbroken chain from the first."""
    previous: str | None = None
    for number, envelope in enumerate(bundle["rosters"], start=1):
        body = rosters.open_roster(envelope, key)
        if body.number != number or body.previous != previous:
            raise Forged("The rosters do not follow one another.")
        previous = rosters.digest(rosters.build(body))
        if number == found.roster_number and previous == found.roster_sha256:
            return body
    raise Forged("The roster that the votes were counted by is missing.")


def _finding(
    bundle: Mapping[str, Any],
    key: Ed25519PublicKey,
    said: Statement,
    digest: str,
    casts: Sequence[Cast],
    origin: str,
    report: Report,
) -> Finding:
    found = findings.open_finding(bundle["execution"], key)
    if (found.request, found.request_digest) != (said.request, digest):
        raise Forged("The worker's finding is about another request.")
    body = _roster(bundle, key, found)
    counted = [cast for cast in casts if cast.id in found.votes]
    levels = {cast.id: votes.judge(cast, said, digest, body, origin=origin) for cast in counted}
    facts = rules.RequestFacts(
        id=said.request,
        state=rules.PENDING,
        digest=digest,
        askers=said.askers,
        policy=rules.terms(said.kind, said.policy),
        created=said.created,
        decide_by=said.decide_by,
        votes=tuple(votes.on_roster(cast, body) for cast in counted),
        named=None if said.administrators is None else frozenset(said.administrators),
    )
    by_security = frozenset(cast.id for cast in counted if cast.capacity == rules.BY_SECURITY)
    approved_by = rules.BY_SECURITY if by_security else rules.BY_ADMINISTRATOR
    same = (dict(found.votes), found.approved_by, found.level) == (
        levels,
        approved_by,
        votes.level_of(levels, by_security),
    )
    if not same or rules.outcome(facts) != rules.APPROVED:
        raise Forged("The votes do not make the approval that the worker found.")
    report.add(f"Roster {body.number} is signed, and seats {len(body.security)} in Security.")
    for cast in counted:
        report.add(f"Vote {cast.id} ({cast.capacity}) approves this very statement: {levels[cast.id]}.")
    report.add(f"Approved by {approved_by}; the decision is {found.level}.")
    return found


def _order(
    bundle: Mapping[str, Any], key: Ed25519PublicKey, said: Statement, digest: str, report: Report
) -> orders.Order | None:
    if bundle["order"] is None:
        return None
    order = orders.open_order(bundle["order"], key)
    if (order.request, order.request_digest) != (said.request, digest):
        raise Forged("The order is that of another request.")
    before = {UUID(row["id"]): row["fingerprint"] for row in said.targets if row["type"] == "job"}
    if {target.job: target.old_fingerprint for target in order.targets} != before:
        raise Forged("The order names other targets than the statement.")
    report.add(f"The order of re-key {order.rekey} names exactly the {len(before)} job(s) of the statement.")
    return order


def _attestations(
    bundle: Mapping[str, Any],
    key: Ed25519PublicKey,
    found: Finding,
    order: orders.Order | None,
    report: Report,
) -> None:
    for envelope in bundle["attestations"]:
        attested = document.open_document(envelope, key)
        claims = attested.predicate
        # Veeam's is known only when it is read back: the order names none, the proof the one that was found.
        found_back = claims["proof"].get("fingerprint")
        ordered = order.target(attested.job).new_fingerprint if order is not None else None
        if attested.fingerprint != found_back or ordered not in (attested.fingerprint, ""):
            raise Forged("An attestation names another key than the order.")
        if claims["order_sha256"] != hashlib.sha256(rfc8785.dumps(bundle["order"])).hexdigest():
            raise Forged("An attestation speaks of another order.")
        told = (claims["request_digest"], claims["approved_by"], claims["level"], claims["log_index"])
        if told != (found.request_digest, found.approved_by, found.level, found.log_index):
            raise Forged("An attestation says something else than the worker found.")
        report.add(f"Job {attested.job} was read back with the approved key {attested.fingerprint}.")


def _log(
    bundle: Mapping[str, Any], key: Ed25519PublicKey, digest: str, casts: Sequence[Cast], report: Report
) -> None:
    """Check that the log tells of the request and its votes, and of the approval at the place named."""
    told = bundle["log"]
    if told["checkpoint"] is None:
        raise Forged("The bundle was made before the log had a checkpoint: fetch it again.")
    head = note.open_checkpoint(told["checkpoint"], keys.log_verifier(key))
    seen: dict[int, dict[str, Any]] = {}
    for row in told["entries"]:
        data, sequence = _base64(row["entry"]), int(row["sequence"])
        proof = [bytes.fromhex(step) for step in row["proof"]]
        merkle.verify_inclusion(merkle.leaf_hash(data), sequence, head.size, proof, head.root)
        seen[sequence] = entries.parse(data)
        if seen[sequence]["sequence"] != sequence:
            raise Forged("An entry stands at another place than it says.")
    own = {
        number: entry for number, entry in seen.items() if entry["subject"]["id"] == bundle["request"]["id"]
    }
    created = [entry for entry in own.values() if entry["event"] == Event.REQUEST_CREATED]
    if [entry["facts"]["digest"] for entry in created] != [digest]:
        raise Forged("The log does not tell of this request being asked.")
    cast = sum(1 for entry in own.values() if entry["event"] == Event.VOTE_CAST)
    if cast != len(casts):
        raise Forged(f"The log tells of {cast} vote(s), the bundle of {len(casts)}.")
    if bundle["execution"] is not None:
        index = findings.open_finding(bundle["execution"], key).log_index
        approved = own.get(index, {})
        if approved.get("event") != Event.REQUEST_APPROVED or approved["facts"]["digest"] != digest:
            raise Forged("The log does not tell of the approval at the place that is named.")
    report.add(f"{len(seen)} entries stand under the signed checkpoint of {head.size}.")


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Forged("The base64 in the bundle cannot be read.") from error
