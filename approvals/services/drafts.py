"""From a wish to the statement that people will read and sign: targets, consequences, policy, deadlines."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from accounts.models import User
from accounts.rules import permissions
from approvals import rules, selectors
from approvals import statement as statements
from approvals.errors import Invalid, JobBusy, NotEligible, NotFound, OpenRequestExists
from approvals.models import Kind, Policy, RequestTarget
from approvals.services import people, policies, wishes
from approvals.services.wishes import Wish
from approvals.statement import Asker, Statement
from encryption import selectors as encryption
from encryption.models import EncryptionPassword, Job, JobUserObjectPermission, RekeyJob

ASK = "encryption.ask_change_job"


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
class _Scope:
    """What a wish touches, locked."""

    jobs: list[Job]
    password: EncryptionPassword | None


def compose_within(wish: Wish, origin: Origin) -> tuple[Statement, Policy]:
    """Lock what a wish touches, and return its statement with the policy behind it.

    Raises a Refused with the reason why it cannot be asked: too few seats, no right, nothing to change,
    another open request, a re-key under way, nobody who could approve.
    """
    people.lock_seats_within()
    scope = _lock(wish)
    check_may_ask(origin.by, wish, scope.jobs)
    _check_change(wish, scope)
    _check_free(scope)
    policy = policies.policy_for([job.pk for job in scope.jobs])
    asker = Asker(
        user=origin.by.pk,
        person=origin.by.person_id,
        on_behalf=origin.by.person_id if origin.via_token or not origin.by.is_human else None,
    )
    _check_possible(policy, asker, origin.now)
    job_ids = [job.pk for job in scope.jobs]
    change = _change(wish, scope, origin.sealed)
    drafted = Statement(
        request=origin.request,
        number=origin.number,
        kind=wish.kind,
        asker=asker,
        reason=wish.reason,
        change=change,
        targets=_targets(scope),
        consequences=encryption.consequences(
            job_ids,
            wish.kind,
            scope=wish.scope,
            start=wish.start,
            then=wish.then,
            password=wish.encryption_password,
        ),
        custody=list(wish.custody),
        answers=wishes.answers_to(policy.procedure_questions, wish),
        policy=policies.snapshot(policy),
        procedure=statements.procedure_of(
            policy.procedure_version, policy.procedure_text, policy.procedure_questions
        ),
        created=origin.now,
        decide_by=origin.now + timedelta(days=policy.decide_days),
    )
    return drafted, policy


def check_may_ask(by: User, wish: Wish, jobs: list[Job]) -> None:
    """Refuse who has neither the right everywhere nor on each of these jobs."""
    facts = by.facts()
    if ASK in permissions(facts):
        return
    own = JobUserObjectPermission.objects.filter(
        user=by, content_object__in=jobs, permission__codename="ask_change_job"
    )
    granted = set(own.values_list("content_object_id", flat=True))
    if not facts.active or not jobs or not granted >= {job.pk for job in jobs}:
        raise NotEligible("You may not ask for changes of this encryption.")


def _lock(wish: Wish) -> _Scope:
    password = None
    if wish.encryption_password is not None:
        found = EncryptionPassword.objects.filter(deleted_at=None)
        password = found.filter(pk=wish.encryption_password).first()
        if password is None:
            raise NotFound("There is no such encryption password.")
    named: Collection[UUID] = wish.jobs
    if password is not None and wish.kind != Kind.ACTIVATE:
        named = [job.pk for job in encryption.jobs_of_password(password.pk)]
    rows = Job.objects.select_for_update().exclude(state=Job.State.DELETED).order_by("pk")
    jobs = list(rows.filter(pk__in=named))
    if len(jobs) != len(named):
        raise NotFound("One of these jobs does not exist.")
    return _Scope(jobs, password)


def _check_change(wish: Wish, scope: _Scope) -> None:
    if wish.kind == Kind.ACTIVATE:
        same = [job for job in scope.jobs if job.password_id is not None and job.password == scope.password]
        if same:
            raise Invalid(f"{same[0].name} is encrypted under this password already.")
    if wish.kind == Kind.DEACTIVATE:
        plain = [job for job in scope.jobs if job.password_id is None]
        if plain:
            raise Invalid(f"{plain[0].name} is not encrypted.")
    if wish.kind == Kind.CHANGE and not scope.jobs:
        raise Invalid("No job uses this password: there is nothing to re-key.")
    needs = encryption.needs_of(scope.password.pk) if scope.password is not None else []
    if wish.kind == Kind.DELETE and needs:
        raise Invalid(f"This password is still needed: {needs[0]}")


def _check_free(scope: _Scope) -> None:
    refs = _refs(scope)
    taken = RequestTarget.objects.filter(open=True, ref__in=[ref for _, ref in refs])
    if others := [row for row in taken.select_related("request") if (row.type, row.ref) in refs]:
        other = others[0].request
        raise OpenRequestExists(f"{other} already touches this and is still open.", request=other.pk)
    steps = RekeyJob.objects.filter(job__in=scope.jobs, state__in=RekeyJob.OPEN).select_related("job")
    if (busy := steps.first()) is not None:
        raise JobBusy(f"{busy.job.name} is being re-keyed; ask again when that has ended.")


def _check_possible(policy: Policy, asker: Asker, now: datetime) -> None:
    facts = rules.PolicyFacts.read(policies.snapshot(policy))
    others = selectors.could_decide(
        askers={asker.person}, administrators_may=facts.administrators_may_approve, before=now
    )
    if not rules.possible(facts, others):
        raise Invalid("Too few people besides you could approve this: the policy could never be met.")


def _refs(scope: _Scope) -> list[tuple[str, UUID]]:
    password = [("password", scope.password.pk)] if scope.password is not None else []
    return [*(("job", job.pk) for job in scope.jobs), *password]


def _targets(scope: _Scope) -> list[dict[str, Any]]:
    return [encryption.target_facts(ref) for _, ref in _refs(scope)]


def _change(wish: Wish, scope: _Scope, sealed: bytes | None) -> dict[str, Any]:
    if wish.kind == Kind.DEACTIVATE:
        return {"then": wish.then}
    if wish.kind == Kind.DELETE:
        return {"encryption_password": str(wish.encryption_password)}
    newest = encryption.newest_version(scope.password.pk) if scope.password is not None else None
    number = newest.number if newest is not None else 0
    change: dict[str, Any] = {
        "encryption_password": str(scope.password.pk if scope.password is not None else uuid4()),
        "hint": wish.hint or (scope.password.hint if scope.password is not None else ""),
        "new": scope.password is None,
        "scope": wish.scope,
        "secret_sha256": hashlib.sha256(sealed).hexdigest() if sealed is not None else None,
        "start": wish.start,
        "version": number + 1 if wish.is_new_value else number,
    }
    return change | ({"from_version": number} if wish.kind == Kind.CHANGE else {})
