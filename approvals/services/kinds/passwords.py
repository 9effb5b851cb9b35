"""The four kinds about passwords: activate, change, deactivate, delete."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.models import User
from accounts.rules import permissions
from approvals.errors import Invalid, NotEligible, NotFound, Stale
from approvals.models import Kind, Policy
from approvals.services import policies, proving
from approvals.services.kinds import at_veeam, generating
from approvals.services.kinds.base import Begin, Draft, Origin, RequestKind, check_free, check_idle
from approvals.services.wishes import Wish
from approvals.statement import Statement
from audit.errors import Later
from audit.statement import WORKER
from encryption import selectors as encryption
from encryption.crypto import secret as secrets
from encryption.crypto.secret import Secret
from encryption.models import EncryptionPassword, Engine, Job, Rekey
from encryption.services import drift, passwords, rekeys
from encryption.services.veeam import removal
from recovery.services import custody

ASK = "encryption.ask_change_job"
BUSY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a wish touches, locked."""

    jobs: list[Job]
    password: EncryptionPassword | None


def draft(wish: Wish, origin: Origin) -> Draft:
    """Lock the jobs and the password that a wish touches, and say what would become of them."""
    scope = _lock(wish)
    check_may_ask(origin.by, wish, scope.jobs)
    _check_change(wish, scope)
    check_free(_refs(scope))
    check_idle(scope.jobs)
    job_ids = [job.pk for job in scope.jobs]
    made = generating.change_of(wish, origin, scope.jobs)
    return Draft(
        policy=policies.policy_for(job_ids),
        targets=encryption.facts_of_targets([ref for _, ref in _refs(scope)]),
        change=_change(wish, scope, origin.sealed) | made,
        consequences=generating.consequences(made)
        + encryption.consequences(
            job_ids,
            wish.kind,
            scope=wish.scope,
            start=wish.start,
            then=wish.then,
            password=wish.encryption_password,
        ),
    )


def check_may_ask(by: User, wish: Wish, jobs: list[Job]) -> None:
    """Refuse who has neither the right everywhere nor on each of these jobs."""
    facts = by.facts()
    if ASK in permissions(facts):
        return
    wanted = {job.pk for job in jobs}
    if not facts.active or not wanted or encryption.granted(by, "ask_change", wanted) != wanted:
        raise NotEligible("You may not ask for changes of this encryption.")


def policy(said: Statement, before: datetime) -> Policy:
    """Return the policy of the repository where the jobs are."""
    return policies.policy_for(said.refs("job"), before=before)


def compare(said: Statement) -> None:
    """Observe every job afresh, and compare it, the password and its version with the statement."""
    observe(said.refs("job"))
    compare_targets(said)
    generating.compare(said)
    if said.kind == Kind.ACTIVATE and not said.change["new"]:
        used = UUID(said.change["encryption_password"])
        if used not in said.refs("password"):
            raise Stale("The password that would be used is not among what the statement names.")
    if said.kind in (Kind.CHANGE, Kind.DELETE):
        jobs = {job.pk for job in encryption.jobs_of_password(UUID(said.change["encryption_password"]))}
        if jobs != set(said.refs("job")):
            raise Stale("Other jobs use this password than when this was asked.")


def compare_targets(said: Statement) -> None:
    """Raise Stale unless each job and password, and the server that it is at, is as the statement says."""
    named = [target for target in said.targets if target["type"] in ("job", "password")]
    facts = encryption.facts_of_targets([UUID(target["id"]) for target in named])
    for target, found in zip(named, facts, strict=True):
        for name in ("type", "fingerprint", "password_version", "server"):
            if found.get(name) != target.get(name):
                raise Stale(
                    f"{target['name']} is not as it was when this was asked ({name.replace('_', ' ')})."
                )


def observe(job_ids: Collection[UUID]) -> None:
    """Observe jobs afresh. Raises Later where one could not be."""
    began = timezone.now()
    drift.observe_named(job_ids)
    if Job.objects.filter(pk__in=job_ids, observed_at__gte=began).count() < len(set(job_ids)):
        # Away, damaged, or moving under the reader's eyes: nothing is said about it now.
        raise Later(BUSY)


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
    rows = Job.objects.select_for_update(of=("self",)).select_related("repository", "password")
    rows = rows.exclude(state=Job.State.DELETED).order_by("pk")
    jobs = list(rows.filter(pk__in=named))
    if len(jobs) != len(named):
        raise NotFound("One of these jobs does not exist.")
    return _Scope(jobs, password)


def _check_change(wish: Wish, scope: _Scope) -> None:
    if any(job.repository.engine == Engine.VEEAM for job in scope.jobs) or at_veeam.holds(scope.password):
        at_veeam.check(wish, scope.jobs, scope.password)
    if wish.kind in (Kind.ACTIVATE, Kind.CHANGE):
        _check_known(scope.jobs)
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


def _check_known(jobs: list[Job]) -> None:
    """Refuse where a keyring's password is nobody's here, and no recovery gave its keys."""
    native = [job for job in jobs if job.repository.engine == Engine.NATIVE]
    under = encryption.current_versions(job.pk for job in native)
    for job in native:
        if job.pk in under and under[job.pk].is_unproven and not encryption.is_recovered(job.pk):
            raise Invalid(
                f"Nobody here has proved to know the password of {job.name}: type it once, or have its keys"
                " opened by a recovery."
            )


def _refs(scope: _Scope) -> list[tuple[str, UUID]]:
    password = [("password", scope.password.pk)] if scope.password is not None else []
    return [*(("job", job.pk) for job in scope.jobs), *password]


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


def _rekey(action: str, said: Statement, digest: str, secret: Secret | None) -> Begin:
    if generating.GENERATED not in said.change:
        return _begin(action, said, digest, secret)
    with secrets.generate() as made:
        return _begin(action, said, digest, made)


@sensitive_variables("secret")
def _begin(action: str, said: Statement, digest: str, secret: Secret | None) -> Begin:
    change = said.change
    password = change.get("encryption_password")
    prepared = rekeys.prepare(
        rekeys.Wish(
            action=action,
            request=said.request,
            request_digest=digest,
            jobs={
                UUID(target["id"]): target["fingerprint"]
                for target in said.targets
                if target["type"] == "job"
            },
            password=UUID(password) if password else None,
            hint=change.get("hint", ""),
            scope=change.get("scope", "keys"),
            start=change.get("start", "next_run"),
            then=change.get("then", "keep"),
            known_to=[] if secret is None or generating.GENERATED in change else [str(said.asker.person)],
            asked_by=said.asker.person,
            number=said.number,
            described=describes(said),
        ),
        secret,
    )
    nights = int(said.policy["fulls_a_night"])

    def begin(until: datetime) -> Rekey:
        rekey = rekeys.start_within(prepared, by=WORKER, retry_until=until, fulls_a_night=nights)
        if rekey.version_id is not None and said.custody:
            early = proving.proofs(said.request)
            custody.record_within(
                rekey.version_id, said.custody, request=said.request, asked=said.created, proofs=early
            )
        return rekey

    return begin


def describes(said: Statement) -> bool:
    """Say whether the policy wants the request's number in the description of Veeam's jobs."""
    return said.policy.get("number_in_description") is True


def _delete(said: Statement, digest: str, secret: Secret | None) -> Begin:
    password = UUID(said.change["encryption_password"])
    removal.remove(password, request=said.request)

    def begin(until: datetime) -> None:
        passwords.delete_within(password, by=WORKER)

    return begin


def _kind(prepare: Callable[[Statement, str, Secret | None], Begin]) -> RequestKind:
    return RequestKind(draft=draft, policy=policy, compare=compare, prepare=prepare)


ACTIVATE = _kind(partial(_rekey, "activate"))
CHANGE = _kind(partial(_rekey, "change"))
DEACTIVATE = _kind(partial(_rekey, "deactivate"))
DELETE = _kind(_delete)
