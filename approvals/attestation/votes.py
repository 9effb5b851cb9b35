"""One vote as it is recorded, judged by the statement, the signed roster and a passkey's signature."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from fido2.utils import websafe_decode

from accounts.errors import ProofInvalid
from accounts.roster import Entry, RosterBody
from accounts.rules import ADMINISTRATOR, Standing
from accounts.stepup_proof import Binding, verify_passkey
from approvals import rules
from approvals.statement import Statement, read_time, written
from audit.errors import Forged

# Signed: whoever reads the evidence can verify it. Recorded: the web process verified it when it was typed.
SIGNED, RECORDED = "signed", "recorded"


@dataclass(frozen=True, slots=True)
class Cast:
    """One vote, as plain values."""

    id: UUID
    voter: UUID
    person: UUID
    capacity: str
    title: str
    verdict: str
    comment: str
    digest: str
    proof: Mapping[str, Any]
    cast_at: datetime

    def as_json(self) -> dict[str, Any]:
        """Return the vote as evidence holds it."""
        return {
            "capacity": self.capacity,
            "cast_at": written(self.cast_at),
            "comment": self.comment,
            "digest": self.digest,
            "id": str(self.id),
            "person": str(self.person),
            "proof": dict(self.proof),
            "title": self.title,
            "verdict": self.verdict,
            "voter": str(self.voter),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Cast":
        """Read a vote; raises KeyError, TypeError or ValueError for what is none."""
        return cls(
            id=UUID(fields["id"]),
            voter=UUID(fields["voter"]),
            person=UUID(fields["person"]),
            capacity=fields["capacity"],
            title=fields["title"],
            verdict=fields["verdict"],
            comment=fields["comment"],
            digest=fields["digest"],
            proof=fields["proof"],
            cast_at=read_time(fields["cast_at"]),
        )


def judge(
    cast: Cast, said: Statement, digest: str, roster: RosterBody, *, origin: str, last_count: int = 0
) -> str:
    """Return how far a vote is proven (SIGNED or RECORDED), or raise Forged with what does not hold.

    `digest` is that of the statement's bytes; `last_count` the highest counter seen of the same passkey.
    """
    entry = entry_of(cast, roster)
    if cast.digest != digest:
        raise Forged("A vote is on another text.")
    if cast.person in said.askers:
        raise Forged("A vote is the asker's own.")
    if entry.since > said.created:
        raise Forged("A vote is of somebody who joined after the request.")
    # Statements write whole seconds.
    if not said.created <= cast.cast_at < said.decide_by:
        raise Forged("A vote was not cast in time.")
    policy = rules.terms(said.kind, said.policy)
    match cast.proof.get("factor"):
        case "passkey":
            return _passkey(cast, digest, said, entry, origin=origin, last_count=last_count)
        case "totp":
            return RECORDED
        case "password" if not policy.mfa_required:
            return RECORDED
    raise Forged("A vote was cast with a factor that the policy does not take.")


def entry_of(cast: Cast, roster: RosterBody) -> Entry:
    """Return the voter's place in the roster, in the capacity of the vote; raises Forged."""
    listed = roster.security if cast.capacity == rules.BY_SECURITY else roster.administrators
    for entry in listed:
        if entry.user == cast.voter and entry.person == cast.person:
            return entry
    raise Forged("A vote is of somebody who is not on the signed roster.")


def on_roster(cast: Cast, roster: RosterBody) -> rules.VoteFacts:
    """Return a vote with its voter's standing by the roster alone; raises Forged."""
    entry = entry_of(cast, roster)
    by_security = cast.capacity == rules.BY_SECURITY
    standing = Standing(
        user=entry.user,
        person=entry.person,
        is_human=True,
        active=True,
        roles=frozenset() if by_security else frozenset({ADMINISTRATOR}),
        security_title=entry.title if by_security else None,
        security_since=entry.since if by_security else None,
    )
    voter = rules.Voter(standing, None if by_security else entry.since)
    return rules.VoteFacts(cast.verdict, cast.capacity, cast.digest, voter)


def level_of(counted: Mapping[UUID, str], by_security: frozenset[UUID]) -> str:
    """Return the level of a decision from those of its counted votes: signed only if all that carry it are.

    `by_security` names the counted votes of Security; with none, every counted vote carries the decision.
    """
    carrying = [level for vote, level in counted.items() if not by_security or vote in by_security]
    return SIGNED if carrying and all(level == SIGNED for level in carrying) else RECORDED


def _passkey(cast: Cast, digest: str, said: Statement, entry: Entry, *, origin: str, last_count: int) -> str:
    credential = entry.credential(str(cast.proof.get("credential", "")))
    if credential is None:
        # Enrolled, but not on the roster that the worker signed: no better proven than a code.
        return RECORDED
    if entry.known_since(credential) > said.created:
        # Nobody brings in a key for a question that is asked already.
        return RECORDED
    binding = Binding(
        request=said.request,
        digest=digest,
        verdict=cast.verdict,
        capacity=cast.capacity,
        person=cast.person,
        comment_digest=hashlib.sha256(cast.comment.encode()).hexdigest(),
    )
    try:
        verify_passkey(
            cast.proof,
            binding,
            websafe_decode(credential.public_key),
            origin=origin,
            rp_id=urlsplit(origin).hostname or "",
            last_count=last_count,
        )
    except ProofInvalid as error:
        raise Forged(f"A vote's passkey does not hold. {error}") from error
    return SIGNED
