"""What checks ask of people, policies, decisions and tokens."""

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, Q

from accounts import selectors as accounts_of
from accounts.models import ApiToken, RoleGrant, SecurityMember, User
from approvals.models import ApprovalRequest, Kind, Policy, State, Vote
from approvals.services import policies as policies_of
from compliance.checks.facts import AccountFacts, PolicyFacts, RequestFacts, TokenFacts
from encryption.models import Repository

LATELY = timedelta(days=90)
ABOUT_PASSWORDS = (Kind.ACTIVATE, Kind.CHANGE, Kind.DEACTIVATE, Kind.DELETE)


def accounts(now: datetime) -> tuple[AccountFacts, ...]:
    """Return every active account with what it holds."""
    roles: dict[UUID, set[str]] = defaultdict(set)
    for user, role in RoleGrant.live(now).values_list("user", "role"):
        roles[user].add(role)
    factors = Authenticator.objects.filter(type__in=accounts_of.FACTORS).values_list("user", flat=True)
    with_factor = set(factors)
    suspended = {seat.user_id: seat.is_suspended(now) for seat in SecurityMember.objects.filter(until=None)}
    rows = User.objects.filter(is_active=True).order_by("pk")
    return tuple(
        AccountFacts(
            id=pk,
            person=person,
            human=human,
            superuser=superuser,
            roles=frozenset(roles[pk]),
            factor=pk in with_factor,
            seated=pk in suspended,
            suspended=suspended.get(pk, False),
        )
        for pk, person, human, superuser in rows.values_list("pk", "person", "is_human", "is_superuser")
    )


def policies() -> tuple[PolicyFacts, ...]:
    """Return the policy of every place: everywhere, and each repository with its own or that one."""
    in_force = {row.scope_id: row for row in policies_of.rows_in_force()}
    general = in_force.get(None)
    places = Repository.objects.order_by("name").values_list("pk", "name")
    return (
        _policy("Everywhere", None, general),
        *(_policy(name, pk, in_force.get(pk, general)) for pk, name in places),
    )


def _policy(place: str, ref: UUID | None, row: Policy | None) -> PolicyFacts:
    if row is None:
        return PolicyFacts(place, ref, None, administrators=False, mfa=False)
    return PolicyFacts(place, ref, row.quorum, row.administrators_may_approve, row.mfa_required)


def requests(now: datetime) -> tuple[RequestFacts, ...]:
    """Return what was executed lately about passwords, and whether Security approved it."""
    yes = Vote.objects.filter(request=OuterRef("pk")).of_security()
    done = ApprovalRequest.objects.filter(
        kind__in=ABOUT_PASSWORDS, state=State.EXECUTED, ended_at__gte=now - LATELY
    )
    rows = done.annotate(security=Exists(yes)).order_by("number")
    fields = ("pk", "number", "security", "created_at", "decided_at")
    return tuple(RequestFacts(*row) for row in rows.values_list(*fields))


def tokens(now: datetime) -> tuple[TokenFacts, ...]:
    """Return every bearer token that is still good."""
    good = ApiToken.objects.filter(Q(expiry=None) | Q(expiry__gt=now), user__is_active=True)
    rows = good.order_by("created").values_list("reference", "created", "expiry")
    return tuple(TokenFacts(*row) for row in rows)
