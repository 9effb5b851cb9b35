"""How each decision is proven, as the worker found it when it counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from approvals.attestation.finding import Finding, open_finding
from approvals.attestation.votes import SIGNED
from approvals.models import ApprovalRequest, Verdict, Vote
from audit import keys
from audit.errors import Forged, KeyUnavailable
from veeamsec.pages.sheet import Fact

FACTORS = {"passkey": "a passkey", "totp": "an authenticator app", "password": "a password"}


@dataclass(frozen=True, slots=True)
class Proofs:
    """What the worker signed about the votes; `broken` when its signature does not hold."""

    finding: Finding | None = None
    broken: bool = False
    votes: Mapping[UUID, str] = field(default_factory=dict)

    def words_of(self, vote: Vote) -> str:
        """How one vote is proven."""
        factor = str(vote.proof.get("factor"))
        means = f"with {FACTORS.get(factor, 'an unknown factor')}"
        level = self.votes.get(vote.pk)
        if self.broken or vote.verdict != Verdict.APPROVE:
            return means
        if level is None:
            waits = self.finding is None and factor == "passkey"
            return f"{means}; the worker verifies it before it acts" if waits else means
        if level == SIGNED:
            return f"signed {means}; the worker verified the signature"
        outside = ", not on the roster then" if factor == "passkey" else ""
        return f"recorded, {means}{outside}"

    def facts(self) -> list[Fact]:
        """The lines of the record about it."""
        if self.broken:
            return [Fact("Proof", "The worker's finding about the votes does not verify.")]
        if self.finding is None:
            return []
        signed = self.finding.level == SIGNED
        how = "Signed: the worker verified each signature that counted" if signed else "Recorded, not signed"
        return [
            Fact("Proof", f"{how}; counted by roster {self.finding.roster_number}."),
            Fact("Verified" if signed else "Counted", at=self.finding.time),
        ]


def of(request: ApprovalRequest) -> Proofs:
    """Open what the worker found about a request's votes."""
    if request.execution is None:
        return Proofs()
    try:
        finding = open_finding(request.execution, keys.signing_public())
    except (Forged, KeyUnavailable):
        return Proofs(broken=True)
    if finding.request != request.pk or finding.request_digest != request.digest:
        return Proofs(broken=True)
    return Proofs(finding, votes=finding.votes)
