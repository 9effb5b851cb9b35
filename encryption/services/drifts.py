"""What becomes of a drift by a decision: explained, so that what was found is accepted; or put back.

Accepted is not approved: the sign stays away until the password is changed under four eyes.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from audit import services as audit
from audit.alarms import Kind
from audit.events import Event
from audit.services.alarms import resolve_alarm_within
from encryption import rules, selectors
from encryption.errors import TargetChanged
from encryption.models import Drift, EncryptionPassword, Job, PasswordVersion, RekeyJob, VeeamPassword

What = Drift.What
_JOB_KINDS = (What.VEEAM_ENCRYPTION_CHANGED, What.VEEAM_ENCRYPTION_OFF)


@dataclass(frozen=True, slots=True)
class WayBack:
    """How a drift is put back: which change of which jobs, to which password and value.

    `restores`: the version whose value a password gets again; without one the password is used as it is.
    """

    action: str
    jobs: tuple[UUID, ...]
    password: UUID | None = None
    restores: UUID | None = None


def explain_within(drift_id: UUID, *, request: UUID, reason: str, by: audit.Actor) -> Drift:
    """Accept what was found, in the caller's transaction; its alarm ends with the last open drift.

    Raises TargetChanged when it is closed already.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a drift is explained in the transaction of its request")
    rows = Drift.objects.select_for_update(of=("self",)).select_related("job", "password", "repository")
    drift = rows.filter(pk=drift_id, closed_at=None).first()
    if drift is None:
        raise TargetChanged("This drift is closed already.")
    drift.found = {**drift.found, "accepted": _accepted(drift), "reason": reason}
    drift.explained_by, drift.closed_at = request, timezone.now()
    drift.save(update_fields=["found", "explained_by", "closed_at"])
    thing: Any = drift.job or drift.password or drift.repository
    facts = {"drift": drift.pk, "what": drift.what, "request": request}
    audit.record(Event.DRIFT_EXPLAINED, subject=thing, by=by, facts=facts)
    left = Drift.objects.filter(
        job=drift.job_id, password=drift.password_id, repository=drift.repository_id, closed_at=None
    )
    if not left.exclude(what__in=Drift.GAPS).exists():
        resolve_alarm_within(Kind.DRIFT, thing, by=by)
    return drift


def way_back(drift: Drift) -> WayBack | str:
    """Return how a drift can be put back, or why it cannot."""
    if drift.what == What.VEEAM_PASSWORD_CHANGED and drift.password_id is not None:
        return _former_value(drift, drift.password_id)
    if drift.what in _JOB_KINDS and drift.job is not None:
        return _former_encryption(drift, drift.job)
    if drift.what in Drift.GAPS or drift.what == What.VEEAM_METADATA:
        return (
            "Nothing was taken away: there is nothing to put back. Explain it, or ask to activate encryption."
        )
    return "What was there before is not held here: explain it, or ask for a change of the password."


def jobs_touched(drift: Drift) -> list[Job]:
    """Return the jobs whose key a drift is about: its own, or all that are given its password."""
    if drift.job is not None:
        return [drift.job]
    return selectors.jobs_of_password(drift.password_id) if drift.password_id is not None else []


def _accepted(drift: Drift) -> dict[str, str]:
    if drift.what in Drift.GAPS:
        return {}
    return {str(job.pk): job.observed_fingerprint for job in jobs_touched(drift)}


def _former_value(drift: Drift, password: UUID) -> WayBack | str:
    moment = parse_datetime(str(drift.found.get("expected") or ""))
    versions = PasswordVersion.objects.filter(password=password, in_force_from=moment)
    return _value_of(versions.order_by("-number").first() if moment is not None else None, password)


def _value_of(former: PasswordVersion | None, password: UUID) -> WayBack | str:
    if former is None or former.sealed_password is None or former.password_id != password:
        return "Nobody here knows the former value: explain it, or ask for a change of the password."
    jobs = tuple(job.pk for job in selectors.jobs_of_password(password))
    if not jobs:
        return "No job uses this password: there is nothing to put back."
    return WayBack("change", jobs, password, former.pk)


def _step_expected(drift: Drift, job: Job) -> RekeyJob | None:
    """Return the executed step that left what was expected of a job, if one did."""
    done = RekeyJob.objects.filter(job=job, state=RekeyJob.State.SUCCEEDED).select_related("rekey__version")
    step = done.order_by("-ended_at").first()
    fits = step is not None and "blocks" in step.proof and rules.key_of(step) == drift.found.get("expected")
    return step if fits else None


def _former_encryption(drift: Drift, job: Job) -> WayBack | str:
    if drift.found.get("gone"):
        return "The job does not exist at Veeam any more."
    step = _step_expected(drift, job)
    before = step.proof["blocks"] if step is not None else drift.found.get("before") or []
    if step is not None and before == drift.found.get("after") and job.password_id is not None:
        # The places are the same: what moved is the value of the password.
        return _value_of(step.rekey.version, job.password_id)
    named = {
        str(block["kms"] if block["kind"] == "kms" else block["password"])
        for block in before
        if block["enabled"]
    }
    if not named:
        return WayBack("deactivate", (job.pk,))
    if len(named) > 1 or not all(block["enabled"] for block in before):
        return (
            "Its places of encryption differed from one another: ask to activate encryption for all of them."
        )
    there = VeeamPassword.objects.filter(server=job.repository_id, external=named.pop(), gone_at=None).first()
    if there is None:
        return "The former password does not exist at Veeam any more."
    newest = selectors.newest_version(there.password_id)
    if not there.is_kms and (newest is None or newest.sealed_password is None):
        return "Nobody here knows the former password: adopt it first, or explain what was found."
    return WayBack("activate", (job.pk,), there.password_id)


def named(drift: Drift) -> str:
    """Return what a drift is about, in the words that a request shows."""
    thing = drift.job or drift.password or drift.repository
    label = thing.hint if isinstance(thing, EncryptionPassword) else str(thing)
    return f"{What(drift.what).label}: {label}"
