"""What a kind of request is made of."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import User
from accounts.rules import ADMINISTRATOR
from approvals.errors import JobBusy, NotEligible, OpenRequestExists
from approvals.models import Policy, RequestTarget
from approvals.services.wishes import Wish
from approvals.statement import Statement
from encryption.crypto.secret import Secret
from encryption.models import Job, Rekey, RekeyJob


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a wish comes from: the account, through a token or not, and when."""

    request: UUID
    number: int
    by: User
    via_token: bool
    now: datetime
    sealed: bytes | None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a kind adds to a statement, and the policy that the request falls under."""

    policy: Policy
    targets: Sequence[Mapping[str, Any]]
    change: Mapping[str, Any]
    consequences: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


# Joins the worker's transaction, given until when; returns the re-key that it started, if the kind has one.
Begin = Callable[[datetime], Rekey | None]


@dataclass(frozen=True, slots=True)
class RequestKind:
    """One kind: four use cases that fit together."""

    # Locks what a wish touches and drafts its statement; a Refused says why it cannot be asked.
    draft: Callable[[Wish, Origin], Draft]
    # The policy in force at a moment for what a statement names.
    policy: Callable[[Statement, datetime], Policy]
    # As the worker: raises Stale for whatever is not as the statement says.
    compare: Callable[[Statement], None]
    # As the worker: everything slow, before the transaction that the returned step joins.
    prepare: Callable[[Statement, str, Secret | None], Begin]


def check_free(refs: Collection[tuple[str, UUID]]) -> None:
    """Refuse what an open request touches already (P7)."""
    taken = RequestTarget.objects.filter(open=True, ref__in=[ref for _, ref in refs])
    if others := [row for row in taken.select_related("request") if (row.type, row.ref) in refs]:
        other = others[0].request
        raise OpenRequestExists(f"{other} already touches this and is still open.", request=other.pk)


def check_idle(jobs: Collection[Job]) -> None:
    """Refuse while an approved change of one of these jobs is carried out."""
    steps = RekeyJob.objects.filter(job__in=jobs, state__in=RekeyJob.OPEN).select_related("job")
    if (busy := steps.first()) is not None:
        raise JobBusy(
            f"An approved change of {busy.job.name} is being carried out; ask again when it has ended."
        )


def check_may_ask_security(by: User) -> None:
    """Refuse who neither sits in Security nor is a Backup administrator (P4)."""
    facts = by.facts()
    holds = facts.active and facts.is_human and ADMINISTRATOR in facts.roles
    if not (facts.is_security or holds):
        raise NotEligible("A member of Security or a Backup administrator asks for this.")
