"""Which policy a request falls under, and what of it is frozen into the request (P6)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from approvals import rules
from approvals.errors import Invalid, SecurityRoleTooSmall
from approvals.models import Policy
from approvals.services import policy_terms
from encryption.models import Job


def policy_for(jobs: Collection[UUID], *, before: datetime | None = None) -> Policy:
    """Return the policy in force for these jobs (for none: the general one), now or before a moment.

    Raises Invalid when there is none (no policy is a no), and when the jobs fall under different ones.
    """
    places: set[UUID | None] = set(Job.objects.filter(pk__in=jobs).values_list("repository_id", flat=True))
    in_force = [_in_force(place, before or timezone.now()) for place in places or {None}]
    found = {policy.pk: policy for policy in in_force if policy is not None}
    if None in in_force:
        raise Invalid("No policy covers this, so nobody could approve it.")
    if len(found) > 1:
        raise Invalid("These jobs fall under different policies: ask for them in separate requests.")
    return next(iter(found.values()))


def snapshot(policy: Policy) -> dict[str, Any]:
    """Return what a statement freezes of a policy."""
    return {
        "administrators_may_approve": policy.administrators_may_approve,
        "advising_titles": list(policy.advising_titles),
        "decide_days": policy.decide_days,
        "execute_hours": policy.execute_hours,
        "fulls_a_night": policy.fulls_a_night,
        "id": str(policy.pk),
        "mfa_required": policy.mfa_required,
        "number": policy.number,
        "pools": list(policy.pools),
        "quorum": policy.quorum,
        # Left out where it is off: the statements of before are the same.
        **({"number_in_description": True} if policy.number_in_description else {}),
        **({"custody_proof": True} if policy.custody_proof else {}),
    }


def in_force(place: UUID | None, before: datetime | None = None) -> Policy:
    """Return the policy of one scope, or the general one where it has none; Invalid without any."""
    found = _in_force(place, before or timezone.now())
    if found is None:
        raise Invalid("No policy covers this, so nobody could approve it.")
    return found


def rows_in_force() -> QuerySet[Policy]:
    """Return the policies in force now, unordered: the general one, and each repository's own."""
    newest = Policy.objects.filter(created_at__lte=timezone.now()).order_by("scope_id", "-number")
    in_force = newest.distinct("scope_id").values("pk")
    return Policy.objects.filter(pk__in=in_force).select_related("scope")


def all_in_force() -> list[Policy]:
    """Return the policies in force now: the general one first, then that of each repository with its own."""
    found = list(rows_in_force())
    return sorted(found, key=lambda policy: policy.scope.name if policy.scope else "")


def check_met(titles: Sequence[str], extra: Sequence[Mapping[str, Any]] = ()) -> None:
    """Refuse what would leave a policy, in force or about to be, that these active seats cannot meet (P3)."""
    for terms in [*(snapshot(policy) for policy in all_in_force() if not extra), *extra]:
        if rules.spare(rules.PolicyFacts.read(terms), titles) < 0:
            raise SecurityRoleTooSmall(
                "The active members of Security must be more than the approvals needed, and fill every office"
                " that a policy names."
            )


def is_outdated(kind: str, frozen: Mapping[str, Any], now: Policy) -> bool:
    """Say whether the policy now in force asks for more than the one that a request was asked under."""
    if str(now.pk) == frozen["id"]:
        return False
    shorter = now.decide_days < frozen["decide_days"] or now.execute_hours < frozen["execute_hours"]
    return shorter or rules.stricter(rules.terms(kind, snapshot(now)), rules.terms(kind, frozen))


def create_within(place: UUID | None, terms: Mapping[str, Any]) -> Policy:
    """Put rules into force, in the caller's transaction; the procedure has a new version when it changed."""
    former = in_force(place)
    own = Policy.objects.filter(scope_id=place).order_by("-number").first()
    parts = ("procedure_text", "procedure_questions")
    before = policy_terms.of(former)
    changed = any(terms[name] != before[name] for name in parts)
    return Policy.objects.create(
        scope_id=place,
        number=own.number + 1 if own else 1,
        procedure_version=former.procedure_version + int(changed),
        **terms,
    )


def _in_force(place: UUID | None, before: datetime) -> Policy | None:
    newest = Policy.objects.filter(created_at__lte=before).order_by("-number")
    own = newest.filter(scope_id=place).first() if place is not None else None
    return own or newest.filter(scope=None).first()
