"""From an approved request to a signed order and its steps.

`prepare` does everything that is slow or touches files, before any transaction; `start_within` joins the
transaction that ends the request's wait; `steps.run_step` then does one job each. From the stored order on,
nothing ends a step but its own end.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from audit import keys, queue
from audit import services as audit
from audit.events import Event
from encryption import order as orders
from encryption import selectors
from encryption.crypto import kdf
from encryption.crypto.secret import Secret
from encryption.engines.base import KeyringHead
from encryption.engines.registry import engine_for
from encryption.errors import EngineError, JobBusy, TargetChanged
from encryption.models import EncryptionPassword, Engine, Job, PasswordVersion, Rekey, RekeyJob
from encryption.services import planning, vault
from encryption.services.planning import NewVersion, Plan, Wish
from encryption.services.veeam import plans as veeam_plans

__all__ = ["FULLS_A_NIGHT", "NewVersion", "Prepared", "Wish", "prepare", "start_within"]

FULLS_A_NIGHT = 10


@dataclass(frozen=True, repr=False)
class Prepared:
    """A signed order, and the version that it brings in force; nothing is stored yet."""

    order: orders.Order
    envelope: dict[str, Any]
    password: UUID | None
    version: NewVersion | None
    asked_by: UUID | None = None


@sensitive_variables("secret")
def prepare(wish: Wish, secret: Secret | None = None) -> Prepared:
    """Check every target afresh, derive and seal what is new, and sign the order; slow, outside transactions.

    `secret` is the new password; without one an activation uses the newest version of `wish.password`.
    Raises TargetChanged, JobBusy, PasswordRefused.
    """
    jobs = selectors.jobs_named(wish.jobs)
    engines = {job.repository.engine for job in jobs}
    if len(engines) != 1:
        raise TargetChanged("The jobs of one request are of one backup engine.")
    plan = _PLANS[engines.pop()](wish, secret, jobs)
    order = orders.Order(
        action=wish.action,
        password_version=plan.version_id,
        rekey=uuid4(),
        request=wish.request,
        request_digest=wish.request_digest,
        scope=wish.scope,
        start=wish.start,
        then=wish.then,
        targets=tuple(sorted(plan.targets, key=lambda target: str(target.job))),
        time=timezone.now(),
        server=plan.server,
        note=plan.note,
    )
    envelope = orders.sign(order, keys.signing_key(), keys.signing_keyid())
    return Prepared(order, envelope, wish.password, plan.version, wish.asked_by)


def start_within(
    prepared: Prepared, *, by: audit.Actor, retry_until: datetime, fulls_a_night: int = FULLS_A_NIGHT
) -> Rekey:
    """Store version, re-key and steps, and ring for each step; joins the caller's transaction.

    Until `retry_until` a step that failed without a change is tried again. Raises JobBusy, TargetChanged.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a re-key starts in the transaction of its request")
    order = prepared.order
    ids = [target.job for target in order.targets]
    jobs = Job.objects.select_for_update().filter(pk__in=ids).exclude(state=Job.State.DELETED).order_by("pk")
    if len(jobs) != len(ids):
        raise TargetChanged("One of the jobs does not exist any more.")
    if RekeyJob.objects.filter(job__in=ids, state__in=RekeyJob.OPEN).exists():
        raise JobBusy("An approved change of one of these jobs is being carried out already.")
    if prepared.version is not None:
        _store_version_within(prepared, prepared.version, by)
    rekey = Rekey.objects.create(
        id=order.rekey,
        request=order.request,
        action=order.action,
        scope=order.scope,
        version_id=order.password_version,
        order=prepared.envelope,
        retry_until=retry_until,
        fulls_a_night=fulls_a_night,
    )
    steps = [_step(rekey, target) for target in order.targets]
    RekeyJob.objects.bulk_create(steps)
    for step in steps:
        queue.ring(queue.Task.REKEY_JOB, step.pk)
    audit.record(
        Event.REKEY_STARTED,
        subject=rekey,
        by=by,
        facts={"action": order.action, "scope": order.scope, "jobs": len(steps), "request": order.request},
    )
    return rekey


def _step(rekey: Rekey, target: orders.Target) -> RekeyJob:
    return RekeyJob(
        rekey=rekey,
        job_id=target.job,
        user_key=target.user_key,
        old_fingerprint=target.old_fingerprint,
        new_fingerprint=target.new_fingerprint,
    )


def _store_version_within(prepared: Prepared, version: NewVersion, by: audit.Actor) -> None:
    if prepared.password is None:
        raise TargetChanged("The request names no password.")
    password, _ = EncryptionPassword.objects.select_for_update().get_or_create(
        pk=prepared.password, defaults={"hint": version.hint}
    )
    newest = selectors.newest_version(password.pk)
    if password.deleted_at or version.number != (newest.number if newest else 0) + 1:
        raise TargetChanged("The password was changed or deleted meanwhile.")
    if password.hint != version.hint:
        password.hint = version.hint
        password.save(update_fields=["hint"])
    row = PasswordVersion.objects.create(
        id=version.id,
        password=password,
        number=version.number,
        hint=version.hint,
        kdf=version.sealed.kdf,
        sealed_password=version.sealed.password,
        sealed_root=version.sealed.root,
        strength=version.strength,
        length=version.length,
        known_to=list(version.known_to),
        asked_by=prepared.asked_by,
        request=prepared.order.request,
    )
    facts = {"password": password.pk, "number": version.number, "strength": version.strength}
    audit.record(Event.PASSWORD_VERSION_CREATED, subject=row, by=by, facts=facts)


@sensitive_variables("secret", "root")
def _plan(wish: Wish, secret: Secret | None, jobs: Sequence[Job]) -> Plan:
    """Plan for the native engine: each job's keyring as it will be."""
    heads = {job.pk: _head(job, wish.jobs[job.pk]) for job in jobs}
    if wish.action == "deactivate":
        return Plan([_unchanged(job, head) for job, head in heads.items()])
    version_id, version, root, parameters = _version(wish, secret, jobs)
    return Plan(
        [_target(job, heads[job.pk], version_id, root, parameters) for job in jobs], version_id, version
    )


@sensitive_variables("secret", "root")
def _version(
    wish: Wish, secret: Secret | None, jobs: Sequence[Job]
) -> tuple[UUID, NewVersion | None, bytes, kdf.KdfParameters]:
    newest = selectors.newest_version(planning.password_named(wish))
    if secret is None:
        version = planning.existing(wish, newest)
        return version.pk, None, vault.root_of(version), kdf.KdfParameters.from_json(version.kdf)
    strength = planning.judge(wish, secret, jobs, newest)
    version_id, number = uuid4(), planning.next_number(newest)
    sealed, root = vault.seal_new(version_id, number, secret)
    length = len(secret.reveal().decode())
    hint = wish.hint or (newest.hint if newest else "")
    made = NewVersion(version_id, number, hint, sealed, strength, length, wish.known_to)
    return version_id, made, root, kdf.KdfParameters.from_json(sealed.kdf)


def _head(job: Job, expected: str) -> KeyringHead | None:
    try:
        head = engine_for(job.repository).head(job.pk)
    except EngineError as error:
        raise TargetChanged(f"The keys of {job.name} cannot be read: {error.message}") from error
    found = head.fingerprint if head else ""
    if found != expected:
        raise TargetChanged(f"The key of {job.name} is not the one that was approved for a change.")
    if head is not None and selectors.version_of_user_key(job.pk, head.user_key) is None:
        raise TargetChanged(f"The keyring of {job.name} names a user key that no approved password has.")
    return head


def _target(
    job: Job, head: KeyringHead | None, version: UUID, root: bytes, parameters: kdf.KdfParameters
) -> orders.Target:
    under = selectors.version_of_user_key(job.pk, head.user_key) if head is not None else None
    if head is not None and under is not None and under.pk == version:
        return orders.Target(job.pk, head.fingerprint, head.fingerprint, head.user_key)
    if under is not None and under.is_unproven and not selectors.is_recovered(job.pk):
        raise TargetChanged(
            f"Nobody here has proved to know the password of {job.name}, or recovered its keys."
        )
    user_key = uuid4()
    new = engine_for(job.repository).plan(job.pk, root=root, user_key=user_key, parameters=parameters)
    return orders.Target(job.pk, head.fingerprint if head else "", new, user_key)


def _unchanged(job: UUID, head: KeyringHead | None) -> orders.Target:
    fingerprint = head.fingerprint if head else ""
    return orders.Target(job, fingerprint, fingerprint, None)


_PLANS: Mapping[str, Callable[[Wish, Secret | None, Sequence[Job]], Plan]] = {
    Engine.NATIVE: _plan,
    Engine.VEEAM: veeam_plans.plan,
}
