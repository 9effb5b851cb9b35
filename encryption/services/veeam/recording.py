"""What an executed step leaves in the rows of a Veeam job: as it was read back, and what is closed by it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from audit import services as audit
from audit.alarms import Kind
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from encryption.models import Drift, Job, VeeamJob
from encryption.services.veeam.reading import time_text

# What an approved and proved state of a job answers; what else was found of it stays open.
ANSWERED = (
    Drift.What.VEEAM_ENCRYPTION_CHANGED,
    Drift.What.VEEAM_ENCRYPTION_OFF,
    Drift.What.VEEAM_JOB_PLAIN,
    Drift.What.VEEAM_COPY_PLAIN,
    Drift.What.VEEAM_METADATA,
    Drift.What.VEEAM_PASSWORD_CHANGED,
)


def note_within(job: Job, proof: dict[str, Any], began: datetime | None) -> None:
    """Store a job's encryption as it was read back, close what this answers; `began`: when its step did."""
    row = VeeamJob.objects.get(job=job)
    row.blocks, row.seen_at, row.gone_at = proof["blocks"], timezone.now(), None
    # As a poll would note it, so that the next one sees what others do from now on.
    row.polled = {**row.polled, "blocks": proof["blocks"]}
    key = str(job.password_id) if job.password_id else None
    if not row.terms or row.terms[-1]["password"] != key:
        row.terms = [*row.terms, {"from": time_text(began or timezone.now()), "password": key}]
    row.save(update_fields=["blocks", "seen_at", "gone_at", "polled", "terms"])
    rows = Drift.objects.filter(job=job, closed_at=None, what__in=ANSWERED)
    if not proof["fingerprint"]:
        # Switched off by a decided request: a gap stays one until somebody gives its reason.
        rows = rows.exclude(what__in=Drift.GAPS)
    close_within(list(rows))
    _tell_others_within(job, proof["others"])
    if job.password_id is not None and proof["new_opens"]:
        close_within(list(Drift.objects.filter(password=job.password_id, closed_at=None, what__in=ANSWERED)))


def _tell_others_within(job: Job, names: Sequence[str]) -> None:
    """Be loud where a job's other settings do not read as they were written: somebody edited it just then."""
    if not names:
        resolve_alarm_within(Kind.VEEAM_UNEXPLAINED, job)
        return
    said = ", ".join(names[:20])
    text = f"Edited while an approved change wrote {job}; these read otherwise since: {said}."
    raise_alarm_within(Kind.VEEAM_UNEXPLAINED, job, Alarm.Severity.WARNING, text)


def close_within(drifts: list[Drift]) -> None:
    """Close drifts, and the alarm of whatever has none left."""
    for drift in drifts:
        drift.closed_at = timezone.now()
        drift.save(update_fields=["closed_at"])
        subject = thing_of(drift)
        audit.record(Event.DRIFT_CLOSED, subject=subject, facts={"what": drift.what, "drift": drift.pk})
        left = Drift.objects.filter(
            job=drift.job_id, password=drift.password_id, repository=drift.repository_id, closed_at=None
        )
        if not left.exclude(what__in=Drift.GAPS).exists():
            resolve_alarm_within(Kind.DRIFT, subject)


def thing_of(drift: Drift) -> Any:
    """Return what a drift is about, as the log names it."""
    return drift.job or drift.password or drift.repository
