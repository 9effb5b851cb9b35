"""How a session of a job ends: with what it warns of, or with why it failed."""

import errno

from django.utils import timezone

from audit import services as audit
from audit.alarms import Kind
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within
from encryption.models import JobSession
from encryption.services import leases

# A page shows so many; the count says the rest.
_WARNINGS = 200


def end_within(row: JobSession, warnings: list[str]) -> None:
    """End a session that did its work, with what it warns of; joins the worker's transaction."""
    state = JobSession.State.WARNING if warnings else JobSession.State.SUCCEEDED
    if len(warnings) > _WARNINGS:
        warnings = [*warnings[:_WARNINGS], f"… and {len(warnings) - _WARNINGS} more."]
    JobSession.objects.filter(pk=row.pk).update(
        state=state, warnings=warnings, lease_until=None, ended_at=timezone.now()
    )


def failed(row: JobSession, lease: leases.Lease, error: Exception, event: Event) -> None:
    """Commit that a session failed and why; a lost lease means that another worker goes on."""
    text = getattr(error, "message", "") or getattr(error, "strerror", "") or type(error).__name__
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    with audit.act(by=audit.WORKER, subject=row.job):
        lease.check_within()
        JobSession.objects.filter(pk=row.pk).update(
            state=JobSession.State.FAILED, error=text, lease_until=None, ended_at=timezone.now()
        )
        audit.record(event, facts={"session": row.pk, "error": text})
        if event == Event.BACKUP_FAILED:
            kind = Kind.DISK_FULL if full else Kind.JOB_FAILED
            raise_alarm_within(kind, row.job, Alarm.Severity.WARNING, f"The run failed: {text}")
