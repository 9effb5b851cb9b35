"""Who stands how to a request, read afresh."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts import selectors as people
from accounts.models import Role, RoleGrant, User
from approvals import rules
from approvals.errors import Refused
from approvals.models import ApprovalRequest
from approvals.selectors.said import said_in
from encryption import selectors as encryption


def voter_of(user: User, now: datetime | None = None) -> rules.Voter:
    """Return an account as a voter: its live standing, and since when it holds the administrator's office."""
    grant = RoleGrant.live(now).filter(user_id=user.pk, role=Role.ADMINISTRATOR).order_by("since").first()
    return rules.Voter(user.facts(now), grant.since if grant else None)


def named_to_decide(
    jobs: Collection[UUID],
    frozen: Collection[UUID] | None = None,
    by_place: Mapping[UUID, frozenset[UUID]] | None = None,
) -> frozenset[UUID] | None:
    """Return who alone decides on these jobs as administrators, or None for everybody with the office.

    `frozen` are those who were named when it was asked: whoever is named later is not added (P6). `by_place`
    is who is named where, if the caller has read it.
    """
    named = [] if frozen is None else [frozenset(frozen)]
    by_place = encryption.named_deciders() if by_place is None else by_place
    if by_place:
        named += [by_place[place] for place in encryption.repositories_of(jobs) if place in by_place]
    return frozenset.intersection(*named) if named else None


def unvoted_facts(
    request: ApprovalRequest, by_place: Mapping[UUID, frozenset[UUID]] | None = None
) -> rules.RequestFacts:
    """Return what a decision depends on, the votes left out: for who has not voted, they change nothing."""
    said = said_in(request)
    return rules.RequestFacts(
        id=request.pk,
        state=request.state,
        digest=request.digest,
        askers=said.askers | {request.asker_person_id},
        makers=frozenset(said.asker.made_by),
        named=named_to_decide(said.refs("job"), said.administrators, by_place),
        policy=rules.terms(request.kind, request.policy),
        created=request.created_at,
        decide_by=request.decide_by,
    )


def facts_of(request: ApprovalRequest, now: datetime | None = None) -> rules.RequestFacts:
    """Return what a decision depends on, with each voter's standing as it is now."""
    makers = people.makers_of(request.asker_id)
    votes = tuple(
        rules.VoteFacts(vote.verdict, vote.capacity, vote.digest, voter_of(vote.voter, now))
        for vote in request.votes.select_related("voter")
    )
    facts = unvoted_facts(request)
    return replace(facts, askers=facts.askers | makers, makers=facts.makers | makers, votes=votes)


def obstacle_for(request: ApprovalRequest, user: User, now: datetime | None = None) -> Refused | None:
    """Return why an account may not decide now, or None."""
    now = now or timezone.now()
    return rules.obstacle(facts_of(request, now), voter_of(user, now), now)


def could_decide(
    *,
    askers: Collection[UUID],
    administrators_may: bool,
    before: datetime,
    named: frozenset[UUID] | None = None,
) -> list[rules.Voter]:
    """Return who could decide on a request of these askers, one account a person."""
    found = people.can_decide_people(
        excluded=askers, administrators_may=administrators_may, before=before, named=named
    )
    return [voter_of(user) for user in found]


def deciders(request: ApprovalRequest) -> list[User]:
    """Return who may still decide on a request, one account a person, Security first."""
    facts = facts_of(request)
    able = could_decide(
        askers=facts.askers,
        administrators_may=facts.policy.administrators_may_approve,
        before=facts.created,
        named=facts.named,
    )
    voted = {vote.voter.standing.person for vote in facts.votes}
    left = [
        voter.standing.user
        for voter in able
        if voter.standing.person not in voted and rules.ineligible(facts, voter) is None
    ]
    users = User.objects.select_related("person").in_bulk(left)
    return [users[pk] for pk in left]
