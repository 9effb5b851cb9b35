"""How a step and its re-key end: the version in force, the points under it, the proof, and who is told."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.utils import timezone

from audit import queue
from audit import services as audit
from audit.alarms import Kind
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from encryption import order as orders
from encryption import rules, selectors
from encryption.models import Engine, Job, PasswordVersion, Rekey, RekeyJob, RestorePoint
from encryption.services import leases, placing, runs
from encryption.services.veeam import recording

_NIGHT = timedelta(hours=24)


def succeed(step: RekeyJob, order: orders.Order, lease: leases.Lease, proof: dict[str, Any]) -> None:
    """Commit what the read-back showed. Raises LeaseLost when another worker took the step over."""
    with audit.act(by=audit.WORKER, subject=step.job):
        job = Job.objects.select_for_update(of=("self",)).select_related("repository").get(pk=step.job_id)
        lease.check_within()
        now = timezone.now()
        _change_job_within(job, order, step, proof)
        RekeyJob.objects.filter(pk=step.pk).update(
            state=RekeyJob.State.SUCCEEDED,
            proof=proof,
            done=proof.get("lines", 0),
            total=proof.get("lines", 0),
            error="",
            lease_until=None,
            ended_at=_after_all(job, now),
        )
        version = step.rekey.version
        if version is not None:
            points = RestorePoint.objects.filter(job=job, dropped_at=None, storage_key__isnull=False)
            points.update(password_version=version)
            PasswordVersion.objects.filter(pk=version.pk, in_force_from=None).update(in_force_from=now)
        step.proof = proof
        facts = {"rekey": step.rekey_id, "fingerprint": rules.key_of(step)}
        audit.record(Event.REKEY_JOB_DONE, facts=facts)
        if job.repository.engine == Engine.VEEAM:
            began = RekeyJob.objects.values_list("started_at", flat=True).get(pk=step.pk)
            recording.note_within(job, proof, began)
        for kind in (Kind.REKEY_STUCK, Kind.REKEY_FAILED):
            resolve_alarm_within(kind, job)
        placing.settle_within(job)
        _start_full_within(job, order, step)
        _settle_within(step.rekey_id)


def fail(step: RekeyJob, lease: leases.Lease, text: str) -> None:
    """Commit that nothing changed; the keyring was read back before this is called."""
    with audit.act(by=audit.WORKER, subject=step.job):
        Job.objects.select_for_update().get(pk=step.job_id)
        lease.check_within()
        RekeyJob.objects.filter(pk=step.pk).update(
            state=RekeyJob.State.FAILED, error=text, lease_until=None, ended_at=timezone.now()
        )
        audit.record(Event.REKEY_JOB_FAILED, facts={"rekey": step.rekey_id, "error": text})
        what = "The password of this job was not changed."
        raise_alarm_within(Kind.REKEY_FAILED, step.job, Alarm.Severity.WARNING, what)
        resolve_alarm_within(Kind.REKEY_STUCK, step.job)
        _settle_within(step.rekey_id)


def _after_all(job: Job, now: datetime) -> datetime:
    # The last executed step is the one that holds: also when the clock was set back since the one before.
    newest = RekeyJob.objects.filter(job=job).aggregate(newest=Max("ended_at"))["newest"]
    return now if newest is None or newest < now else newest + timedelta(microseconds=1)


def _change_job_within(job: Job, order: orders.Order, step: RekeyJob, proof: dict[str, Any]) -> None:
    version = step.rekey.version
    if order.action == "activate" and version is not None:
        job.password_id = version.password_id
        job.full_next = True
        audit.record(
            Event.ENCRYPTION_ACTIVATED, facts={"password": version.password_id, "version": version.pk}
        )
    elif order.action == "deactivate":
        job.password_id = None
        job.full_next = True
        audit.record(Event.ENCRYPTION_DEACTIVATED, facts={"then": order.then})
    elif order.scope == "data" and job.password_id is not None:
        job.full_next = True
    if job.repository.engine == Engine.VEEAM:
        # Whatever was changed there takes hold with the next run.
        job.full_next = True
    if proof:
        job.observed_fingerprint = proof["fingerprint"]
        job.observed_at = timezone.now()
    job.save(update_fields=["password", "full_next", "observed_fingerprint", "observed_at"])


def _start_full_within(job: Job, order: orders.Order, step: RekeyJob) -> None:
    """Ring for the new full where the request said `now`; beyond a night's number it waits."""
    if order.start != "now" or not job.full_next or job.state != Job.State.ACTIVE:
        return
    done = RekeyJob.objects.filter(rekey=step.rekey_id, state=RekeyJob.State.SUCCEEDED).exclude(pk=step.pk)
    nights = done.count() // max(step.rekey.fulls_a_night, 1)
    if nights == 0:
        runs.queue_within(job, by=None)
        return
    due = timezone.now() + nights * _NIGHT
    if job.repository.engine == Engine.VEEAM:
        # Its schedule is kept there.
        runs.queue_within(job, by=None, due=due)
        return
    if job.next_run_at is None or job.next_run_at > due:
        job.next_run_at = due
        job.save(update_fields=["next_run_at"])


def _settle_within(rekey_id: UUID) -> None:
    """End the re-key when its last step has ended, and ring for what follows."""
    rekey = Rekey.objects.select_for_update().get(pk=rekey_id)
    states = set(RekeyJob.objects.filter(rekey=rekey).values_list("state", flat=True))
    if states & set(RekeyJob.OPEN) or rekey.ended_at is not None:
        return
    if len(states) > 1:
        rekey.state = Rekey.State.PARTIAL
    elif states == {RekeyJob.State.SUCCEEDED}:
        rekey.state = Rekey.State.SUCCEEDED
    else:
        rekey.state = Rekey.State.FAILED
    rekey.ended_at = timezone.now()
    rekey.save(update_fields=["state", "ended_at"])
    audit.record(Event.REKEY_ENDED, subject=rekey, facts={"state": rekey.state, "request": rekey.request})
    _end_versions_within()
    queue.ring(queue.Task.REKEY_ENDED, rekey.pk)


def _end_versions_within() -> None:
    """Note the end of every version that no job's keyring is under any more."""
    keyed = RekeyJob.objects.filter(state=RekeyJob.State.SUCCEEDED, user_key__isnull=False)
    last = keyed.order_by("job_id", "-ended_at").distinct("job_id")
    current = set(last.values_list("rekey__version_id", flat=True))
    in_force = PasswordVersion.objects.filter(in_force_from__isnull=False, in_force_until=None)
    # Veeam's own have no key derivation here; they end by Veeam's clock, when the next one begins.
    in_force = in_force.exclude(kdf={})
    # Nor do those of adopted keyrings, as long as no step has re-keyed them.
    current |= set(selectors.adopted_keyrings().values_list("version_id", flat=True))
    in_force.exclude(pk__in=current).update(in_force_until=timezone.now())
