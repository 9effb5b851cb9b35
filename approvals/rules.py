"""Who may decide, and when a request is decided. Pure: values and a clock in, a refusal with its reason out.

Nothing here reads a flag of Django's: a superuser has no standing of its own (P1). Empty means no (P6).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.rules import ADMINISTRATOR, Standing
from approvals.errors import (
    AlreadyVoted,
    DigestMismatch,
    Expired,
    InteractiveRequired,
    Invalid,
    NotEligible,
    NotPending,
    OwnRequest,
    Refused,
    SecurityRoleTooSmall,
)

PENDING, APPROVED, REJECTED = "pending", "approved", "rejected"
OPEN = frozenset({PENDING, APPROVED})
APPROVE, REJECT = "approve", "reject"
BY_SECURITY, BY_ADMINISTRATOR = "security", "administrator"
# About somebody in person: no pool counts, for the only one of its office may be the subject.
ABOUT_PEOPLE = frozenset(
    {
        "add_security_member",
        "remove_security_member",
        "replace_security_member",
        "grant_administrator",
        "revoke_administrator",
        "reset_credentials",
    }
)
ABOUT_RECOVERY = frozenset(
    {"activate_keyset", "import_keyset", "export_keyset", "delete_keyset", "register_server", "recover_key"}
    | {"take_keyset"}
)
# P4: what makes or unmakes those who decide, or by which rules, is decided by Security alone.
BY_SECURITY_ALONE = (
    ABOUT_PEOPLE | ABOUT_RECOVERY | {"change_policy", "explain_drift", "release_password", "suppress_finding"}
)
# P3: below two seats nobody is left to be the second pair of eyes.
SEATS = 2
MAX_COMMENT = 2_000


def seats_needed(kind: str) -> int:
    """Return how many active members a kind of request needs: to mend the role itself, one will do."""
    return 1 if kind in ABOUT_PEOPLE else SEATS


@dataclass(frozen=True, slots=True)
class Pool:
    """So many persons of one office must consent."""

    title: str
    count: int


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """The frozen rules that a request was asked under."""

    quorum: int
    pools: tuple[Pool, ...]
    advising_titles: frozenset[str]
    administrators_may_approve: bool
    mfa_required: bool
    custody_proof: bool = False

    @classmethod
    def read(cls, snapshot: Mapping[str, Any]) -> "PolicyFacts":
        """Read a snapshot; Invalid for one that lacks a rule or names none."""
        try:
            quorum = snapshot["quorum"]
            pools = tuple(Pool(str(pool["title"]), int(pool["count"])) for pool in snapshot["pools"])
            facts = cls(
                quorum=int(quorum),
                pools=pools,
                advising_titles=frozenset(snapshot["advising_titles"]),
                administrators_may_approve=snapshot["administrators_may_approve"] is True,
                mfa_required=snapshot["mfa_required"] is not False,
                custody_proof=snapshot.get("custody_proof", False) is not False,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid("The policy of this request cannot be read.") from error
        if facts.quorum < 1 or any(pool.count < 1 for pool in pools):
            raise Invalid("The policy of this request asks for nobody.")
        return facts


def terms(kind: str, snapshot: Mapping[str, Any]) -> PolicyFacts:
    """Return the frozen rules as they hold for one kind of request; Invalid for a snapshot that has none."""
    facts = PolicyFacts.read(snapshot)
    if kind in BY_SECURITY_ALONE:
        facts = replace(facts, administrators_may_approve=False)
    return replace(facts, pools=()) if kind in ABOUT_PEOPLE else facts


@dataclass(frozen=True, slots=True)
class Voter:
    """Who wants to decide: the account's standing, and since when it holds the administrator's office."""

    standing: Standing
    administrator_since: datetime | None = None

    @property
    def capacity(self) -> str | None:
        """Return in what role this account decides, or None."""
        if self.standing.is_security:
            return BY_SECURITY
        holds = self.standing.active and self.standing.is_human and ADMINISTRATOR in self.standing.roles
        return BY_ADMINISTRATOR if holds else None

    @property
    def since(self) -> datetime | None:
        """Return since when this account may decide."""
        return self.standing.security_since if self.capacity == BY_SECURITY else self.administrator_since


@dataclass(frozen=True, slots=True)
class VoteFacts:
    """One vote, with its voter's standing as it is now."""

    verdict: str
    capacity: str
    digest: str
    voter: Voter


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What a decision depends on; `askers` are the persons whose own request this is.

    `makers` are those of them who made the asker's account, or handed out a link to it. `named`, if not None,
    are the only accounts that decide on it as administrators.
    """

    id: UUID
    state: str
    digest: str
    askers: frozenset[UUID]
    policy: PolicyFacts
    created: datetime
    decide_by: datetime
    votes: tuple[VoteFacts, ...] = ()
    makers: frozenset[UUID] = frozenset()
    named: frozenset[UUID] | None = None


def check_interactive(*, interactive: bool, is_human: bool) -> None:
    """Refuse tokens and service accounts (P8)."""
    if not interactive or not is_human:
        raise InteractiveRequired("Only a person at a browser decides; a token or a service account may ask.")


def check_seats(seats: int, *, least: int = SEATS) -> None:
    """Refuse while the Security Role has too few active members (P3)."""
    if seats < least:
        raise SecurityRoleTooSmall(
            "The Security Role has fewer than two active members; nothing can be decided."
        )


def ineligible(request: RequestFacts, voter: Voter) -> Refused | None:
    """Return why this account may never decide on this request, or None."""
    if voter.standing.person in request.makers:
        return OwnRequest("You made the account that asks, or a link to it; another person decides.")
    if voter.standing.person in request.askers:
        return OwnRequest("You asked for this, or it is about you; another person decides.")
    if not voter.standing.is_human:
        return InteractiveRequired("A service account does not decide.")
    if not voter.standing.active:
        return NotEligible("This account is not active.")
    if voter.standing.security_title is not None and voter.standing.suspended:
        return NotEligible("Your seat in Security is suspended.")
    if voter.capacity is None:
        return NotEligible("Security decides on this, or a Backup administrator where the policy allows.")
    if voter.capacity == BY_ADMINISTRATOR and not request.policy.administrators_may_approve:
        return NotEligible("The policy leaves this to Security alone.")
    if voter.capacity == BY_ADMINISTRATOR and not is_named(voter, request.named):
        return NotEligible("Other administrators are named to decide for this repository.")
    if voter.since is None or voter.since > request.created:
        return NotEligible("You joined after this request was made; those who were here before decide.")
    return None


def is_named(voter: Voter, named: frozenset[UUID] | None) -> bool:
    """Say whether somebody is among those who are named to decide as administrators, if anybody is named."""
    return named is None or voter.standing.user in named


def obstacle(request: RequestFacts, voter: Voter, now: datetime) -> Refused | None:
    """Return why this account may not decide now, or None: what a page says instead of the buttons."""
    if (refusal := ineligible(request, voter)) is not None:
        return refusal
    if any(vote.voter.standing.person == voter.standing.person for vote in request.votes):
        return AlreadyVoted("You have decided on this request before.")
    if request.state == "expired" or (request.state == PENDING and now >= request.decide_by):
        return Expired("The time to decide is over.")
    if request.state != PENDING:
        return NotPending("This request is not waiting for a decision any more.")
    return None


def check_vote(
    request: RequestFacts, voter: Voter, *, verdict: str, digest: str, comment: str, now: datetime
) -> str:
    """Return the capacity of a vote that may be cast now on this very text, or raise why not."""
    if verdict not in (APPROVE, REJECT):
        raise Invalid("The verdict is approve or reject.")
    if (refusal := obstacle(request, voter, now)) is not None:
        raise refusal
    if verdict == APPROVE and voter.standing.may_only_reject:
        raise NotEligible("You suspended a member; until a third one confirms that, you may only reject.")
    if digest != request.digest:
        raise DigestMismatch("The text that you decided on is not the one that stands; read it again.")
    if verdict == REJECT and not comment.strip():
        raise Invalid("A rejection needs a comment: the asker will want to know why.")
    if len(comment) > MAX_COMMENT:
        raise Invalid(f"A comment has at most {MAX_COMMENT} characters.")
    return str(voter.capacity)


def consents(request: RequestFacts) -> list[VoteFacts]:
    """Return the approvals that count: on this text, by persons who may decide as things stand now."""
    counted: dict[UUID, VoteFacts] = {}
    for vote in request.votes:
        stands = vote.verdict == APPROVE and vote.digest == request.digest
        counts = vote.capacity == vote.voter.capacity and _consent_counts(request.policy, vote.voter)
        if stands and counts and ineligible(request, vote.voter) is None:
            counted.setdefault(vote.voter.standing.person, vote)
    return list(counted.values())


def outcome(request: RequestFacts) -> str:
    """Return what the votes make of it: rejected by one objection, approved by quorum and every pool."""
    if any(vote.verdict == REJECT for vote in request.votes):
        return REJECTED
    counted = consents(request)
    enough = len(counted) >= max(1, request.policy.quorum)
    return APPROVED if enough and all(_met(pool, counted) for pool in request.policy.pools) else PENDING


def possible(policy: PolicyFacts, people: Iterable[Voter]) -> bool:
    """Say whether these people, each another person than the asker, could approve under a policy at all."""
    counted = [
        VoteFacts(APPROVE, str(voter.capacity), "", voter)
        for voter in people
        if _consent_counts(policy, voter)
    ]
    return len(counted) >= policy.quorum and all(_met(pool, counted) for pool in policy.pools)


def spare(policy: PolicyFacts, titles: Sequence[str]) -> int:
    """Return how many of these seats may leave, whichever they are, before they cannot decide; below 0: now.

    More are needed than the quorum, for one is concerned, and of each office as many as a pool names.
    """
    counted = [title for title in titles if title not in policy.advising_titles]
    pools = (counted.count(pool.title) - pool.count for pool in policy.pools)
    return min([len(counted) - policy.quorum - 1, *pools])


def stricter(policy: PolicyFacts, than: PolicyFacts) -> bool:
    """Say whether a policy asks for more than another one, in anything."""
    before = {pool.title: pool.count for pool in than.pools}
    return (
        policy.quorum > than.quorum
        or any(pool.count > before.get(pool.title, 0) for pool in policy.pools)
        or bool(policy.advising_titles - than.advising_titles)
        or (than.administrators_may_approve and not policy.administrators_may_approve)
        or (policy.mfa_required and not than.mfa_required)
        or (policy.custody_proof and not than.custody_proof)
    )


def _consent_counts(policy: PolicyFacts, voter: Voter) -> bool:
    # Who suspended another could else silence the only one who would have said no (P3).
    if voter.standing.may_only_reject:
        return False
    if voter.capacity == BY_SECURITY:
        return voter.standing.security_title not in policy.advising_titles
    return voter.capacity == BY_ADMINISTRATOR and policy.administrators_may_approve


def _met(pool: Pool, counted: Iterable[VoteFacts]) -> bool:
    of_title = [
        vote
        for vote in counted
        if vote.capacity == BY_SECURITY and vote.voter.standing.security_title == pool.title
    ]
    return len(of_title) >= pool.count
