"""Running the checks: on demand, daily, and after what changes a result."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.errors import NotEligible
from accounts.models import Role, User
from approvals.models import Suppression
from audit import queue
from audit import services as audit
from audit.events import Event
from audit.models import Entry
from audit.queue import Task
from audit.statement import Actor
from compliance.checks import CHECKS, Result, Status
from compliance.models import Assessment, Finding
from compliance.services import gathering

DAILY = timedelta(hours=24)
# So long after the last run at least, whatever happens meanwhile.
CALM = timedelta(minutes=15)
# What these events tell may change what a check finds; runs and sign-ins do not.
CHANGES = (
    Event.REQUEST_EXECUTED,
    Event.REKEY_ENDED,
    Event.POLICY_CHANGED,
    Event.BADGE_ATTESTED,
    Event.CUSTODY_PROVED,
    Event.JOB_CREATED,
    Event.JOB_CHANGED,
    Event.JOB_DELETED,
    Event.REPOSITORY_CHANGED,
    Event.DRIFT_FOUND,
    Event.DRIFT_CLOSED,
    Event.DRIFT_EXPLAINED,
    Event.MEMBER_ADDED,
    Event.MEMBER_REMOVED,
    Event.MEMBER_SUSPENDED,
    Event.USER_DEACTIVATED,
    Event.ROLE_GRANTED,
    Event.ROLE_REVOKED,
    Event.MFA_CHANGED,
    Event.KEYSET_ACTIVATED,
    Event.KEYSET_EXPORTED,
    Event.VEEAM_IMPORTED,
    Event.VEEAM_MODE_CHANGED,
    Event.VEEAM_ANALYZED,
    Event.VEEAM_RECONCILED,
    Event.FINDING_SUPPRESSED,
)


def ask(*, by: Actor) -> Assessment:
    """Ask for a run now; one that waits already is returned instead. The worker does it.

    A member of Security, a Backup administrator or the console asks; NotEligible for others.
    """
    with audit.act(by=by, subject="compliance.assessment"):
        _check_may_ask(by)
        waiting = Assessment.objects.filter(done_at=None).order_by("asked_at").first()
        if waiting is not None:
            return waiting
        asker = None if by.person_id is None else by.pk
        made = _ask_within(Assessment.Cause.ASKED, asker)
        audit.record(Event.ASSESSMENT_ASKED, subject=made)
    return made


def analyze_when_due() -> Assessment | None:
    """Ask for a run if the last is a day old, or if something happened that may change what is found."""
    now = timezone.now()
    last = Assessment.objects.order_by("-asked_at").first()
    if last is not None and last.done_at is None:
        return None
    if last is not None and now - last.asked_at < CALM and not _happened(last, (Event.FINDING_SUPPRESSED,)):
        return None
    if last is None or now - last.asked_at >= DAILY:
        cause = Assessment.Cause.DAILY
    elif _happened(last, CHANGES):
        cause = Assessment.Cause.CHANGE
    else:
        return None
    with transaction.atomic():
        return _ask_within(cause, None)


def analyze(assessment_id: UUID) -> Assessment:
    """Run all checks and write what they found, once. As the worker; Assessment.DoesNotExist."""
    now = timezone.now()
    head = Entry.objects.aggregate(head=Max("sequence"))["head"]
    facts = gathering.gather(now)
    results = {code: check.find(facts) for code, check in CHECKS.items()}
    suppressions = _suppressions(results, now)
    with audit.act(by=audit.WORKER, subject=("compliance.assessment", assessment_id)):
        assessment = Assessment.objects.select_for_update().get(pk=assessment_id)
        if assessment.done_at is not None:
            return assessment
        findings = Finding.objects.bulk_create(
            Finding(
                assessment=assessment,
                code=code,
                title=CHECKS[code].title,
                found=result.status,
                severity=CHECKS[code].severity,
                summary=result.summary,
                good=result.good,
                total=result.total,
                evidence=[asdict(line) for line in result.lines],
                suppression=None if code not in suppressions else suppressions[code].pk,
                suppressed_until=None if code not in suppressions else suppressions[code].until,
            )
            for code, result in results.items()
        )
        assessment.done_at = now
        assessment.log_size = 0 if head is None else head + 1
        assessment.counts = dict(Counter(finding.status(now) for finding in findings))
        assessment.save(update_fields=["done_at", "log_size", "counts"])
        audit.record(Event.ASSESSMENT_DONE, facts={"counts": assessment.counts})
        queue.ring(Task.TELL_FINDINGS, assessment.pk)
    return assessment


def _check_may_ask(by: Actor) -> None:
    if not isinstance(by, User):
        return
    facts = by.facts()
    if not (facts.is_security or (facts.active and facts.is_human and Role.ADMINISTRATOR in facts.roles)):
        raise NotEligible("A member of Security or a Backup administrator asks for a run.")


def _happened(last: Assessment, events: Sequence[Event]) -> bool:
    return Entry.objects.filter(sequence__gte=last.log_size, event__in=events).exists()


def _suppressions(results: Mapping[str, Result], now: datetime) -> dict[str, Suppression]:
    """Return the suppression that covers each result: of the same answer, and of no more than was seen."""
    found: dict[str, Suppression] = {}
    for row in Suppression.objects.filter(until__gt=now).order_by("until"):
        result = results.get(row.code)
        if result is None or result.status == Status.PASSED or result.status != row.found:
            continue
        if result.total - result.good <= row.short:
            found[row.code] = row
    return found


def _ask_within(cause: Assessment.Cause, asker: UUID | None) -> Assessment:
    made = Assessment.objects.create(cause=cause, asked_by=asker)
    queue.ring(Task.ANALYZE, made.pk)
    return made
