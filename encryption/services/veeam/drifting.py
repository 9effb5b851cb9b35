"""Differences that polling found, and the drifts that those open which no executed request explains."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from audit import services as audit
from audit.alarms import Kind
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from encryption.models import Drift, EncryptionPassword, Job, VeeamDifference, VeeamServer
from encryption.services.veeam import reconciliation

Thing = Job | EncryptionPassword

# An entry of the log is short; the row keeps the whole.
_SAID = ("modified_at", "hint", "gone", "fingerprint")


def differ_within(
    server: VeeamServer,
    what: VeeamDifference.What,
    thing: Thing,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    happened_at: datetime | None = None,
) -> VeeamDifference:
    """Write a difference and tell the log; what settles it comes once its drift stands, if it needs one."""
    difference = VeeamDifference.objects.create(
        server=server,
        what=what,
        job=thing if isinstance(thing, Job) else None,
        password=thing if isinstance(thing, EncryptionPassword) else None,
        before=dict(before),
        after=dict(after),
        after_time=server.compared_at,
        happened_at=happened_at,
    )
    said = {name: after[name] for name in _SAID if name in after}
    facts = {"difference": difference.pk, "what": what, **said}
    audit.record(Event.VEEAM_DIFFERENCE, subject=thing, facts=facts)
    return difference


def open_within(what: Drift.What, thing: Thing, found: Mapping[str, Any]) -> Drift:
    """Open a drift, or note in the open one of this kind what is found now; what was expected stays."""
    named = _named(thing)
    drift = Drift.objects.select_for_update().filter(**named, what=what, closed_at=None).first()
    if drift is None:
        drift = Drift.objects.create(**named, what=what, found=dict(found))
        audit.record(Event.DRIFT_FOUND, subject=thing, facts={"drift": drift.pk, "what": what})
    else:
        kept = {name: drift.found[name] for name in ("expected", "before", "actor") if name in drift.found}
        drift.found = {**found, **kept}
        drift.save(update_fields=["found"])
    return drift


def close_within(drifts: Iterable[Drift]) -> None:
    """Close drifts whose cause is gone, or that an executed request explains."""
    for drift in drifts:
        drift.closed_at = timezone.now()
        drift.save(update_fields=["closed_at"])
        thing: Any = drift.job or drift.password or drift.repository
        audit.record(Event.DRIFT_CLOSED, subject=thing, facts={"drift": drift.pk, "what": drift.what})


def open_drifts(server: VeeamServer) -> dict[UUID, list[Drift]]:
    """Return the open drifts of a server's jobs and passwords by the id of the thing; gaps are others."""
    rows = Drift.objects.filter(closed_at=None).exclude(what__in=Drift.GAPS).order_by("found_at")
    found: dict[UUID, list[Drift]] = {}
    for drift in rows.filter(job__repository=server.pk).select_related("job"):
        if drift.job_id is not None:
            found.setdefault(drift.job_id, []).append(drift)
    for drift in rows.filter(password__veeam__server=server.pk).select_related("password"):
        if drift.password_id is not None:
            found.setdefault(drift.password_id, []).append(drift)
    return found


def sound_within(thing: Thing) -> None:
    """Raise or end the alarm of a job or password, as its open drifts say."""
    rows = Drift.objects.filter(**_named(thing), closed_at=None).exclude(what__in=Drift.GAPS)
    drifts = list(rows.order_by("found_at"))
    if not drifts:
        resolve_alarm_within(Kind.DRIFT, thing)
        return
    quiet = all(drift.what == Drift.What.VEEAM_METADATA for drift in drifts)
    severity = Alarm.Severity.WARNING if quiet else Alarm.Severity.CRITICAL
    raise_alarm_within(Kind.DRIFT, thing, severity, drifts[0].text)


def settle_within(differences: Iterable[VeeamDifference]) -> None:
    """Say of each difference where it belongs: to an executed request, or to the drift that it opened."""
    for difference in differences:
        reconciliation.settle_difference_within(difference)


def _named(thing: Thing) -> dict[str, Thing]:
    return {"job" if isinstance(thing, Job) else "password": thing}
