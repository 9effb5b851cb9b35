"""One job's step of a re-key: verified order, intent in the log, engine, both proofs, outcome (P5, P11).

Killed anywhere, the next call reads from the keyring itself how far it had come. `failed` is written only
after the keyring was read back and still names the old user key; what cannot be read stays running, with an
alarm.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone

from audit import keys, queue
from audit import services as audit
from audit.alarms import Kind
from audit.errors import Forged, Later
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within
from encryption import order as orders
from encryption import selectors
from encryption.crypto import kdf
from encryption.engines.base import Engine
from encryption.engines.registry import engine_for
from encryption.errors import EngineError, StaleOrder, TargetChanged
from encryption.models import Engine as Engines
from encryption.models import Job, PasswordVersion, Rekey, RekeyJob
from encryption.services import leases, messages, outcomes, protection, vault
from encryption.services.veeam import governing

_FIRST_WAIT = timedelta(seconds=2)
_LONGEST_WAIT = timedelta(minutes=5)


class _Way(NamedTuple):
    """How an engine's jobs are changed and read back."""

    obey: Callable[[RekeyJob, orders.Order, orders.Target, leases.Lease], dict[str, Any]]
    found: Callable[[RekeyJob, orders.Target], str | None]
    # What is wrong where a step can neither end nor begin anew.
    stuck: str
    # Whether a state that is neither the old nor the new one is known to be none of ours.
    stale_ends: bool


def run_step(step_id: UUID) -> None:
    """Do, resume or find done one step. Raises TargetChanged for a forged order, Later to be called again."""
    step = RekeyJob.objects.select_related("rekey__version", "job__repository").filter(pk=step_id).first()
    if step is None:
        messages.refuse(queue.Task.REKEY_JOB, step_id, "no such step")
        return
    subject = ("encryption.job", step.job_id)
    with audit.attempt(by=audit.WORKER, subject=subject):
        order, target = _verified(step)
    audit.wait_while_older()
    lease = leases.take(RekeyJob, step.pk)
    if lease is None:
        return
    _intend(step, target, lease)
    try:
        with lease.kept():
            proof = _way(step).obey(step, order, target, lease)
    except (EngineError, OSError) as error:
        _not_done(step, target, lease, error)
    else:
        outcomes.succeed(step, order, lease, proof)


def _way(step: RekeyJob) -> _Way:
    return _WAYS[step.job.repository.engine]


def _verified(step: RekeyJob) -> tuple[orders.Order, orders.Target]:
    """Compare every value of the rows with the signed order: a row alone moves nothing."""
    rekey = step.rekey
    try:
        order = orders.open_order(rekey.order, keys.signing_public())
        target = order.target(step.job_id)
    except Forged as error:
        raise TargetChanged(f"The order of this re-key does not hold: {error}", rekey=rekey.pk) from error
    rows = (rekey.pk, rekey.request, rekey.action, rekey.scope, rekey.version_id)
    signed = (order.rekey, order.request, order.action, order.scope, order.password_version)
    step_rows = (step.user_key, step.old_fingerprint, step.new_fingerprint)
    step_signed = (target.user_key, target.old_fingerprint, target.new_fingerprint)
    if rows != signed or step_rows != step_signed:
        raise TargetChanged(
            "This step is not what its signed order says; nothing was written.", rekey=rekey.pk
        )
    return order, target


def _intend(step: RekeyJob, target: orders.Target, lease: leases.Lease) -> None:
    """Commit what is about to happen, before the engine acts; a resume finds it there."""
    if step.started_at is not None:
        return
    with audit.act(by=audit.WORKER, subject=step.job):
        Job.objects.select_for_update().get(pk=step.job_id)
        lease.check_within()
        RekeyJob.objects.filter(pk=step.pk).update(started_at=timezone.now())
        Rekey.objects.filter(pk=step.rekey_id, state=Rekey.State.QUEUED).update(state=Rekey.State.RUNNING)
        facts = {"rekey": step.rekey_id, "from": target.old_fingerprint, "to": target.new_fingerprint}
        audit.record(Event.REKEY_INTENT, facts=facts)


def _obey(step: RekeyJob, order: orders.Order, target: orders.Target, lease: leases.Lease) -> dict[str, Any]:
    """Bring the keyring from the old to the new head, or find it there, and prove it both ways.

    A keyring stays where encryption is switched off: it opens the restore points of that time.
    """
    if order.action == "deactivate":
        return {}
    engine, version = engine_for(step.job.repository), step.rekey.version
    if version is None or target.user_key is None:
        raise StaleOrder("The order names no password.")
    root, former = vault.root_of(version), _former_version(step, version)
    old_root = vault.root_of(former) if former and former.sealed_root is not None else None
    head = engine.head(step.job_id)
    found = head.fingerprint if head else ""
    if found not in (target.old_fingerprint, target.new_fingerprint):
        raise StaleOrder(
            "The keyring is neither the one that was approved for a change nor the one that follows."
        )
    lease.renew(total=_lines(engine, step.job_id))
    if found != target.new_fingerprint:
        _write(engine, step, target, lease, root, old_root)
    return _prove(engine, step, target, root, old_root)


def _write(
    engine: Engine,
    step: RekeyJob,
    target: orders.Target,
    lease: leases.Lease,
    root: bytes,
    old_root: bytes | None,
) -> None:
    version, user_key = step.rekey.version, target.user_key
    if version is None or user_key is None:
        raise StaleOrder("The order names no password.")
    parameters = kdf.KdfParameters.from_json(version.kdf)
    planned = engine.plan(step.job_id, root=root, user_key=user_key, parameters=parameters)
    if planned != target.new_fingerprint:
        raise StaleOrder("The password version is not the one that the order was signed for.")
    if target.old_fingerprint == "":
        engine.activate(step.job_id, root=root, user_key=user_key, parameters=parameters)
        return
    keys = old_root or protection.held_for(step.job_id)
    if keys is None:
        raise StaleOrder("Nobody here knows the former password, and no recovery holds this job's keys.")
    engine.rekey(
        step.job_id,
        old_root=keys,
        new_root=root,
        new_user_key=user_key,
        new_kdf=parameters,
        progress=lambda done: lease.renew(done=done),
    )


def _former_version(step: RekeyJob, version: PasswordVersion) -> PasswordVersion | None:
    former = selectors.current_version(step.job_id)
    return None if former is None or former.pk == version.pk else former


def _lines(engine: Engine, job: UUID) -> int:
    return len(engine.observe(job).key_lines)


def _prove(
    engine: Engine, step: RekeyJob, target: orders.Target, root: bytes, old_root: bytes | None
) -> dict[str, Any]:
    """Read the keyring back: all opens with the new password, none with the old. Raises ProofFailed."""
    found = engine.prove(step.job_id, root=root, old_root=old_root)
    if found.fingerprint != target.new_fingerprint:
        raise StaleOrder("The keyring that was read back is not the approved one.")
    return {
        "fingerprint": found.fingerprint,
        "generation": found.generation,
        "lines": found.lines,
        "new_opens": True,
        # null: there was no password before, so nothing had to be refused.
        "old_refused": None if old_root is None else True,
        "read_back_at": f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}",
        "user_key": str(target.user_key),
    }


def _not_done(
    step: RekeyJob, target: orders.Target, lease: leases.Lease, error: EngineError | OSError
) -> None:
    """Judge by the keys, not by the error: unchanged and out of time is failed; all else goes on later."""
    text = error.message if isinstance(error, EngineError) else f"{error.strerror or error}"
    way = _way(step)
    found = way.found(step, target)
    unchanged = found == target.old_fingerprint
    now = timezone.now()
    over = unchanged or (way.stale_ends and isinstance(error, StaleOrder))
    if over and now >= step.rekey.retry_until:
        outcomes.fail(step, lease, text)
        return
    with audit.act(by=audit.WORKER, subject=step.job):
        Job.objects.select_for_update().get(pk=step.job_id)
        lease.check_within()
        RekeyJob.objects.filter(pk=step.pk).update(error=text, lease_until=now)
        if isinstance(error, OSError) and found in (target.old_fingerprint, target.new_fingerprint):
            which = "former" if unchanged else "new"
            what = f"The re-key cannot go on: {text}. Meanwhile the {which} password is in force."
            raise_alarm_within(Kind.REKEY_STUCK, step.job, Alarm.Severity.WARNING, what)
        elif not unchanged:
            raise_alarm_within(Kind.REKEY_STUCK, step.job, Alarm.Severity.CRITICAL, way.stuck)
    raise Later(min(_FIRST_WAIT * 2 ** min(lease.fence, 10), _LONGEST_WAIT))


def _found(step: RekeyJob, target: orders.Target) -> str | None:
    """Return the fingerprint that stands in the folder now, None while it cannot be read."""
    try:
        head = engine_for(step.job.repository).head(step.job_id)
    except (EngineError, OSError):
        return None
    return head.fingerprint if head else ""


_WAYS: Mapping[str, _Way] = {
    Engines.NATIVE: _Way(
        _obey,
        _found,
        "The keyring cannot be read, or is neither the old nor the new one; the re-key waits.",
        stale_ends=False,
    ),
    Engines.VEEAM: _Way(
        governing.obey,
        governing.found,
        "Veeam cannot be reached, or the job is neither as approved nor as ordered; the change waits.",
        stale_ends=True,
    ),
}
