"""Work that a change asks for: the outbox row is the truth, the broker only a bell.

`ring` writes the row in the caller's transaction and rings on commit. A worker claims the row with a lease;
one that runs out is claimed again, so every task must be able to start anew. The sweep replaces lost bells.
"""

import logging
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from uuid import UUID, uuid4

import celery
from django.core.cache import cache
from django.db import connection, models, transaction
from django.db.models import F, Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from audit.errors import Later, LeaseLost, Refused
from audit.events import Event
from audit.models import Entry, Outbox
from audit.statement import WORKER, Draft

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
# The sweep waits this long before it thinks a bell lost; each further time twice as long.
PATIENCE = timedelta(seconds=30)
LONGEST = timedelta(hours=1)
FIRST_BACK_OFF = timedelta(seconds=2)


class Task(StrEnum):
    """Every task by its registered name; a name is never reused."""

    SWEEP = "audit.sweep"
    CHECKPOINT = "audit.checkpoint"
    VERIFY = "audit.verify"
    WATCH = "audit.watch"
    COPY_CHECKPOINTS = "audit.copy_checkpoints"
    WATCH_FORWARDERS = "audit.watch_forwarders"
    # Registered by encryption, which opens secrets.
    FORWARD = "audit.forward"
    SIGN_ROSTER = "accounts.sign_roster"
    ENROL_CREDENTIAL = "accounts.enrol_credential"
    DROP_CREDENTIALS = "accounts.drop_credentials"
    SETTLE_SUSPENSIONS = "accounts.settle_suspensions"
    SEND_NOTICE = "accounts.send_notice"
    SEND_LINK = "accounts.send_link"
    TELL_ALARM = "accounts.tell_alarm"
    EXECUTE = "approvals.execute"
    EXPIRE = "approvals.expire"
    NOTIFY = "approvals.notify"
    REMIND = "approvals.remind"
    DIGEST = "approvals.digest"
    POLICY_CHANGED = "approvals.policy_changed"
    EARLY_PROOF = "approvals.judge_proof"
    REKEY_JOB = "encryption.rekey_job"
    REKEY_ENDED = "encryption.rekey_ended"
    BACKUP = "encryption.backup"
    RESTORE = "encryption.restore"
    OBSERVE = "encryption.observe"
    SCHEDULE = "encryption.schedule"
    WATCH_JOBS = "encryption.watch"
    RETENTION = "encryption.retention"
    ERASE_SECRET = "encryption.erase_secret"  # noqa: S105
    COVER = "encryption.cover"
    ERASE_RECOVERED = "encryption.erase_recovered"
    ENTERPRISE = "recovery.obey"
    CUSTODY = "recovery.judge"
    RELEASE = "recovery.seal_release"
    WATCH_RELEASES = "recovery.watch"
    RENEW_KEYSETS = "approvals.renew_keysets"
    RECOVERY_REQUEST = "recovery.make_request"
    RECOVERY_RESPONSE = "recovery.open_response"
    VEEAM_LOOK = "encryption.veeam_look"
    VEEAM_IMPORT = "encryption.veeam_import"
    VEEAM_OBSERVE = "encryption.veeam_observe"
    VEEAM_ANALYZE = "encryption.veeam_analyze"
    VEEAM_RECONCILE = "encryption.veeam_reconcile"
    VEEAM_ADOPT = "encryption.veeam_adopt"
    ADOPT_REPOSITORY = "encryption.adopt_repository"
    SETTLE_ADOPTED = "encryption.settle_adopted"
    WATCH_KEYS = "encryption.watch_keys"
    WATCH_ENTERPRISE_KEYS = "recovery.watch_keys"
    MAKE_REPORT = "compliance.make_report"
    MAIL_REPORT = "compliance.mail_report"
    REPORTS = "compliance.reports"
    ANALYZE = "compliance.analyze"
    ANALYZE_WHEN_DUE = "compliance.analyze_when_due"
    TELL_FINDINGS = "compliance.tell_findings"


@dataclass(frozen=True, slots=True)
class Claim:
    """The outbox row that this process works on; `fence` grows with every claim of it."""

    id: UUID
    task: Task
    ref: UUID
    fence: int
    lease: timedelta


_claim: ContextVar[Claim | None] = ContextVar("audit_claim", default=None)


def ring(task: Task, ref: UUID, *, due: datetime | None = None) -> UUID:
    """Ask for a task in the caller's transaction, to run on commit or at `due`; returns the row's id."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a task belongs to the transaction of what asks for it")
    now = timezone.now()
    waits = due is not None and due > now
    row = Outbox.objects.create(
        id=uuid4(), name=task, ref=ref, due=due or now, ring_at=due if due and waits else now + PATIENCE
    )
    if not waits:
        transaction.on_commit(partial(bell, task, row.pk))
    return row.pk


def hasten(task: Task, ref: UUID) -> None:
    """Have what was put off done at the next sweep, in the caller's transaction."""
    now = timezone.now()
    waiting = Outbox.objects.filter(name=task, ref=ref, done_at=None, lease_until=None)
    waiting.update(due=now, ring_at=now)


def nudge(task: Task) -> None:
    """Run a periodic task once the transaction is committed; if the bell is lost, its period brings it."""
    transaction.on_commit(partial(bell, task))


def bell(task: Task, row: UUID | None = None) -> None:
    """Send the message: a registered name and at most one uuid. A broker that is away is no error."""
    arguments = [] if row is None else [str(row)]
    try:
        # A signature, not send_task: it runs here and now where Celery is set to be eager.
        celery.signature(task.value, args=arguments).apply_async(retry=False)
    except (OperationalError, OSError):
        log.warning("the broker is away; the sweep will ring for %s", task.value)


def worker(
    task: Task, *, lease: timedelta = LEASE
) -> Callable[[Callable[[UUID], object]], Callable[[UUID], object]]:
    """Register a function of one uuid as a task; it runs while its process holds the outbox row."""

    def register(work: Callable[[UUID], object]) -> Callable[[UUID], object]:
        @celery.shared_task(name=task.value, ignore_result=True)
        def run(row: str) -> None:
            _run(task, work, row, lease)

        return work

    return register


def beat(task: Task) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Register a function as a periodic task; one run at a time, whatever the number of workers."""

    def register(work: Callable[[], object]) -> Callable[[], object]:
        @celery.shared_task(name=task.value, ignore_result=True)
        def run() -> None:
            _run_alone(task, work)

        return work

    return register


def current() -> Claim:
    """Return what this process holds; LookupError outside a task."""
    claim = _claim.get()
    if claim is None:
        raise LookupError("no outbox row is being worked on")
    return claim


def renew() -> None:
    """Hold the row for another lease; raises LeaseLost when another process has it. No-op outside a task."""
    claim = _claim.get()
    if claim is None:
        return
    until = timezone.now() + claim.lease
    if not _held(claim).update(lease_until=until, ring_at=until):
        raise LeaseLost(f"{claim.task} was taken over")


def _run(task: Task, work: Callable[[UUID], object], row: str, lease: timedelta) -> None:
    claim = _take(task, row, lease)
    if claim is None:
        return
    token = _claim.set(claim)
    try:
        work(claim.ref)
    except Later as error:
        _put_back(claim, error.after)
    except Refused as error:
        # The refusal is in the log; asking again would get the same answer.
        _held(claim).update(done_at=timezone.now(), lease_until=None, error=error.code)
    except LeaseLost:
        log.warning("%s %s was taken over", task.value, claim.ref)
    except Exception as error:  # noqa: BLE001 - whatever broke, the row must wait for its next try
        _tell(task, error)
        _fail(claim, error)
    else:
        _held(claim).update(done_at=timezone.now(), lease_until=None, error="")
    finally:
        _claim.reset(token)


def _run_alone(task: Task, work: Callable[[], object]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('veeamsec'), hashtext(%s))", [task.value])
        if not cursor.fetchone()[0]:
            return
    try:
        work()
    except Exception as error:  # noqa: BLE001 - the next period tries again
        _tell(task, error)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('veeamsec'), hashtext(%s))", [task.value])


def _take(task: Task, row: str, lease: timedelta) -> Claim | None:
    try:
        number = UUID(row)
    except (ValueError, AttributeError, TypeError):
        _refuse(task, "no_uuid")
        return None
    now = timezone.now()
    # A lease that reaches further than any is one of a clock that was set back since: nobody holds it.
    free = Q(lease_until=None) | Q(lease_until__lte=now) | Q(lease_until__gt=now + LEASE)
    taken = Outbox.objects.filter(free, pk=number, name=task, done_at=None, due__lte=now).update(
        lease_until=now + lease, ring_at=now + lease, rings=0, attempts=F("attempts") + 1
    )
    found = Outbox.objects.filter(pk=number).first()
    if found is None or found.name != task:
        _refuse(task, "unknown_row" if found is None else "other_task")
        return None
    return Claim(number, task, found.ref, found.attempts, lease) if taken else None


def _refuse(task: Task, reason: str) -> None:
    """Log a message that no change of ours asked for; an entry a minute and kind, so a flood stays small."""
    if not cache.add(f"audit:message:{task.value}:{reason}", 1, 60):
        return
    facts = {"task": task.value, "reason": reason}
    draft = Draft(Event.MESSAGE_REFUSED, WORKER.pk, None, "outbox", "", facts, {})
    with transaction.atomic():
        Entry.objects.append([draft])


def _held(claim: Claim) -> "models.QuerySet[Outbox]":
    return Outbox.objects.filter(pk=claim.id, attempts=claim.fence, done_at=None)


def _put_back(claim: Claim, after: timedelta) -> None:
    due = timezone.now() + after
    _held(claim).update(lease_until=None, due=due, ring_at=due, rings=0)


def _fail(claim: Claim, error: Exception) -> None:
    row = _held(claim).first()
    if row is None:
        return
    wait = min(FIRST_BACK_OFF * 2 ** min(row.failures, 20), LONGEST)
    _held(claim).update(failures=F("failures") + 1, error=type(error).__name__)
    _put_back(claim, wait)


def _tell(task: Task, error: Exception) -> None:
    # The places and the kind of the error, never its text: a text may carry a value.
    places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    log.error("%s failed: %s at %s", task.value, type(error).__name__, " < ".join(reversed(places[-6:])))
