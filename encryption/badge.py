"""The sign beside a job: computed from a signed statement and from what was observed, never stored (P10).

It knows nothing of who had the statement signed: it opens it with the worker's public key, compares its
fingerprint with the observed one, counts the restore points that stand outside it, and says no more than
that.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db.models import Count
from django.utils import timezone

from audit import dsse, keys
from audit.errors import Forged, KeyUnavailable
from encryption import order as orders
from encryption.models import Attestation, Drift, Job, RekeyJob, RestorePoint

PREDICATE_TYPE = "https://veeamsec.dev/attestation/v1"
# An observation older than this proves nothing about today.
OBSERVED_WITHIN = timedelta(hours=24)
# Evidence follows an executed change within a sweep; what lacks it for longer was not approved through here.
EVIDENCE_WITHIN = timedelta(hours=1)
_CLOCK_SLACK = timedelta(minutes=5)
_READ = ("approved_at", "approved_by", "level", "versions")


class State(StrEnum):
    """What the sign says; only the first is full."""

    APPROVED = "approved"
    APPROVED_FROM = "approved_from"
    NEXT_RUN = "next_run"
    APPLYING = "applying"
    ADMINISTRATOR = "administrator"
    PLAIN = "plain"
    UNAPPROVED = "unapproved"
    UNKNOWN = "unknown"
    DRIFT = "drift"


@dataclass(frozen=True, slots=True)
class Badge:
    """The sign of one job at one moment, with its reasons in plain words."""

    state: State
    label: str
    since: datetime | None = None
    older: int = 0
    proof: str | None = None
    fingerprint: str = ""
    attestation_id: UUID | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attested:
    """What a statement says whose signature holds."""

    id: UUID
    fingerprint: str
    by_security: bool
    proof: str
    since: datetime
    versions: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the sign of one job depends on."""

    activated: bool
    full_next: bool
    observed: str
    observed_at: datetime | None
    applying: bool = False
    drifts: tuple[str, ...] = ()
    executed_at: datetime | None = None
    attested: Attested | str | None = None
    points: Counter[UUID | None] = field(default_factory=Counter)


def badge(job: Job, now: datetime | None = None) -> Badge:
    """Return the sign of one job."""
    return badges([job], now)[job.pk]


def badges(jobs: Iterable[Job], now: datetime | None = None) -> dict[UUID, Badge]:
    """Return the signs of many jobs, in as many queries as for one."""
    now = now or timezone.now()
    return {job: judge(facts, now) for job, facts in _gather(list(jobs)).items()}


def judge(facts: Facts, now: datetime) -> Badge:
    """Return the sign that the facts allow at `now`; in doubt it is not the full one."""
    if facts.drifts:
        return Badge(State.DRIFT, "Changed behind VeeamSec's back", reasons=facts.drifts)
    if facts.applying:
        why = "Until it has succeeded, the former password is in force."
        return Badge(State.APPLYING, "Approved, being applied", reasons=(why,))
    if not facts.activated:
        return Badge(State.PLAIN, "Not encrypted", reasons=("The next run writes without encryption.",))
    if facts.attested is None:
        return _without_evidence(facts, now)
    if isinstance(facts.attested, str):
        return Badge(State.UNAPPROVED, "Encrypted, approval not proven", reasons=(facts.attested,))
    return _attested(facts, facts.attested, now)


def _without_evidence(facts: Facts, now: datetime) -> Badge:
    if facts.executed_at and now - facts.executed_at < EVIDENCE_WITHIN:
        return Badge(State.APPLYING, "Applied, evidence being written", reasons=("Nothing is signed yet.",))
    why = "No signed evidence of an approval stands behind this job's key."
    return Badge(State.UNAPPROVED, "Encrypted, approval not proven", reasons=(why,))


def _attested(facts: Facts, found: Attested, now: datetime) -> Badge:
    def sign(state: State, label: str, *reasons: str, older: int = 0) -> Badge:
        return Badge(state, label, found.since, older, found.proof, found.fingerprint, found.id, reasons)

    if facts.observed_at is None or not -_CLOCK_SLACK <= now - facts.observed_at <= OBSERVED_WITHIN:
        return sign(State.UNKNOWN, "Not observed lately", "The job's keys were not read for 24 hours.")
    if facts.observed != found.fingerprint:
        return sign(State.DRIFT, "Changed behind VeeamSec's back", "The job's key is not the approved one.")
    if not found.by_security:
        return sign(State.ADMINISTRATOR, "Approved by an administrator", "Security did not approve it.")
    if facts.full_next:
        return sign(State.NEXT_RUN, "Approved, from the next run", "No full backup under it exists yet.")
    older = sum(count for version, count in facts.points.items() if version not in found.versions)
    if older:
        points = "1 older point" if older == 1 else f"{older} older points"
        label = f"Approved from {found.since:%-d %B %Y}; {points} under other passwords or none"
        return sign(State.APPROVED_FROM, label, older=older)
    return sign(State.APPROVED, "Approved by security")


def _gather(jobs: list[Job]) -> dict[UUID, Facts]:
    ids = [job.pk for job in jobs]
    drifts: dict[UUID, list[str]] = defaultdict(list)
    for drift in Drift.objects.filter(job__in=ids, closed_at=None):
        drifts[drift.job_id].append(drift.text)
    steps = RekeyJob.objects.filter(job__in=ids)
    applying = set()
    for step in steps.filter(state__in=RekeyJob.OPEN).select_related("rekey"):
        if _is_ordered(step):
            applying.add(step.job_id)
        else:
            drifts[step.job_id].append("A re-key stands in the database whose order does not hold.")
    keyed = steps.filter(state=RekeyJob.State.SUCCEEDED, user_key__isnull=False)
    last = keyed.order_by("job_id", "-ended_at").distinct("job_id")
    executed = {step.job_id: step for step in last}
    attested = _read_attestations(executed)
    points: dict[UUID, Counter[UUID | None]] = defaultdict(Counter)
    live = RestorePoint.objects.filter(job__in=ids, dropped_at=None).order_by()
    for job_id, version, count in live.values_list("job_id", "password_version_id").annotate(Count("pk")):
        points[job_id][version] = count
    return {
        job.pk: Facts(
            activated=job.password_id is not None,
            full_next=job.full_next,
            observed=job.observed_fingerprint,
            observed_at=job.observed_at,
            applying=job.pk in applying,
            drifts=tuple(drifts[job.pk]),
            executed_at=executed[job.pk].ended_at if job.pk in executed else None,
            attested=attested.get(job.pk),
            points=points[job.pk],
        )
        for job in jobs
    }


def _is_ordered(step: RekeyJob) -> bool:
    try:
        target = orders.open_order(step.rekey.order, keys.signing_public()).target(step.job_id)
    except (Forged, KeyUnavailable):
        return False
    return (target.user_key, target.new_fingerprint) == (step.user_key, step.new_fingerprint)


def _read_attestations(executed: dict[UUID, RekeyJob]) -> dict[UUID, Attested | str]:
    # Only the statement of the change that was executed last speaks for a job.
    wanted = {(job, step.rekey_id) for job, step in executed.items()}
    rekeys = [rekey for _, rekey in wanted]
    rows = Attestation.objects.filter(job__in=executed, rekey__in=rekeys)
    return {row.job_id: read(row) for row in rows if (row.job_id, row.rekey_id) in wanted}


def read(row: Attestation) -> Attested | str:
    """Return what an attestation says, or why it says nothing."""
    try:
        envelope = json.dumps(row.envelope)
        return _parse(row, _open(envelope, keys.signing_public().public_bytes_raw()))
    except KeyUnavailable:
        return "The key that verifies signatures is missing here."
    except (Forged, KeyError, TypeError, ValueError, IndexError, AttributeError):
        return "The signed statement behind this job does not hold."


@lru_cache(maxsize=2048)
def _open(envelope: str, public: bytes) -> dict[str, Any]:
    """Return what a statement says; verified once for each text and key, for a page opens hundreds again."""
    key = Ed25519PublicKey.from_public_bytes(public)
    payload = json.loads(dsse.open_envelope(json.loads(envelope), key))
    # The roster and the votes behind it are for auditors, and long.
    predicate = {name: payload["predicate"][name] for name in _READ}
    return {"subject": payload["subject"], "predicateType": payload["predicateType"], "predicate": predicate}


def _parse(row: Attestation, payload: dict[str, Any]) -> Attested:
    subject, predicate = payload["subject"][0], payload["predicate"]
    if payload["predicateType"] != PREDICATE_TYPE or len(payload["subject"]) != 1:
        raise ValueError("another kind of statement")
    if subject["name"] != f"job:{row.job_id}" or subject["digest"]["sha256"] != row.fingerprint:
        raise ValueError("a statement about something else")
    if predicate["level"] not in ("signed", "recorded"):
        raise ValueError("an unknown level of proof")
    return Attested(
        id=row.pk,
        fingerprint=row.fingerprint,
        by_security=predicate["approved_by"] == "security",
        proof=predicate["level"],
        since=datetime.fromisoformat(predicate["approved_at"]),
        versions=frozenset(UUID(version) for version in predicate["versions"]),
    )
