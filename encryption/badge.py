"""The sign beside a job: computed from a signed statement and from what was observed, never stored (P10).

It knows nothing of who had the statement signed: it opens it with the worker's public key, compares its
fingerprint with the observed one, counts the restore points that stand outside it, and says no more than
that.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

from django.db.models import Count, Model, QuerySet, Sum
from django.utils import timezone

from audit import keys
from audit.errors import Forged, KeyUnavailable
from encryption import order as orders
from encryption.attested import Attested, attested
from encryption.models import Drift, Job, Rekey, RekeyJob, RestorePoint, VeeamJob
from encryption.selectors.drifts import accepted_keys

# Of more jobs than that, everybody's rows are read faster than these are picked out.
_MANY = 250
_Row = TypeVar("_Row", bound=Model)
# An observation older than this proves nothing about today.
OBSERVED_WITHIN = timedelta(hours=24)
# Evidence follows an executed change within a sweep; what lacks it for longer was not approved through here.
EVIDENCE_WITHIN = timedelta(hours=1)
_CLOCK_SLACK = timedelta(minutes=5)


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
    NOT_KNOWN = "not_known"


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


class Observed(Protocol):
    """What a sign needs to know of a job itself: a row of it, or its few columns alone."""

    @property
    def pk(self) -> UUID:
        """Its id."""

    @property
    def password_id(self) -> UUID | None:
        """The password it writes under."""

    @property
    def full_next(self) -> bool:
        """Whether its next run must be a full."""

    @property
    def observed_fingerprint(self) -> str:
        """What was seen last."""

    @property
    def observed_at(self) -> datetime | None:
        """When that was."""


class Volume(NamedTuple):
    """So many restore points of so many bytes."""

    points: int
    size: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the sign of one job depends on."""

    activated: bool
    full_next: bool
    observed: str
    observed_at: datetime | None
    applying: bool = False
    # A backup at Veeam whose job was gone there before it was known here.
    orphaned: bool = False
    drifts: tuple[str, ...] = ()
    executed_at: datetime | None = None
    attested: Attested | str | None = None
    # The key that Security explained since the last executed change.
    accepted: str | None = None
    volumes: Mapping[UUID | None, Volume] = field(default_factory=dict)


def badge(job: Job, now: datetime | None = None) -> Badge:
    """Return the sign of one job."""
    return badges([job], now)[job.pk]


def badges(jobs: Iterable[Observed], now: datetime | None = None) -> dict[UUID, Badge]:
    """Return the signs of many jobs, in as many queries as for one."""
    now = now or timezone.now()
    return {job: judge(facts, now) for job, facts in facts_of(jobs).items()}


def judge(facts: Facts, now: datetime) -> Badge:
    """Return the sign that the facts allow at `now`; in doubt it is not the full one."""
    if facts.drifts:
        return Badge(State.DRIFT, "Changed behind VeeamSec's back", reasons=facts.drifts)
    if facts.applying:
        why = "Until it has succeeded, the former password is in force."
        return Badge(State.APPLYING, "Approved, being applied", reasons=(why,))
    if facts.orphaned:
        why = "Its job was gone at Veeam before the first reading: nobody can tell what encrypted its points."
        return Badge(State.NOT_KNOWN, "Encryption not known", reasons=(why,))
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
        if facts.accepted == facts.observed:
            why = "What was found was explained, and approved by nobody."
            return sign(State.UNAPPROVED, "Encrypted, approval not proven", why)
        return sign(State.DRIFT, "Changed behind VeeamSec's back", "The job's key is not the approved one.")
    if not found.by_security:
        return sign(State.ADMINISTRATOR, "Approved by an administrator", "Security did not approve it.")
    if facts.full_next:
        return sign(State.NEXT_RUN, "Approved, from the next run", "No run has written under it yet.")
    older = sum(held.points for version, held in facts.volumes.items() if version not in found.versions)
    if older:
        points = "1 older point" if older == 1 else f"{older} older points"
        label = f"Approved from {found.since:%-d %B %Y}; {points} under other passwords or none"
        return sign(State.APPROVED_FROM, label, older=older)
    return sign(State.APPROVED, "Approved by security")


def facts_of(jobs: Iterable[Observed]) -> dict[UUID, Facts]:
    """Return what the signs of many jobs depend on, read now.

    Restore points are read before what is signed of them: what changes meanwhile makes a sign less, not more.
    """
    found = list(jobs)
    among = None if len(found) > _MANY else [job.pk for job in found]
    drifts: dict[UUID, list[str]] = defaultdict(list)
    for drift in _of(Drift.objects.all(), among).filter(closed_at=None).exclude(what__in=Drift.GAPS):
        if drift.job_id is not None:
            drifts[drift.job_id].append(drift.text)
    applying = _read_applying(among, drifts)
    volumes = _read_volumes(among)
    orphaned = set(
        _of(VeeamJob.objects.filter(type=VeeamJob.ORPHANED), among).values_list("job_id", flat=True)
    )
    signed = attested(_executed(among))
    others = {job.pk for job in found if _is_another(job, signed.get(job.pk))}
    unsigned = {job.pk for job in found if job.pk in signed and signed[job.pk] is None}
    ended = _read_ended(others | unsigned)
    accepted = _accepted(others, ended)
    return {
        job.pk: Facts(
            activated=job.password_id is not None,
            full_next=job.full_next,
            observed=job.observed_fingerprint,
            observed_at=job.observed_at,
            applying=job.pk in applying,
            orphaned=job.pk in orphaned and job.password_id is None,
            drifts=tuple(drifts.get(job.pk, ())),
            executed_at=ended.get(job.pk),
            attested=signed.get(job.pk),
            accepted=accepted.get(job.pk),
            volumes=volumes.get(job.pk, {}),
        )
        for job in found
    }


def _of(rows: QuerySet[_Row], jobs: Collection[UUID] | None) -> QuerySet[_Row]:
    """Return the rows of some jobs, or of all."""
    return rows if jobs is None else rows.filter(job__in=jobs)


def _is_another(job: Observed, signed: Attested | str | None) -> bool:
    return isinstance(signed, Attested) and signed.fingerprint != job.observed_fingerprint


def _accepted(jobs: Collection[UUID], ended: Mapping[UUID, datetime | None]) -> dict[UUID, str]:
    """Return the keys explained after what was executed last, for the few jobs that show another."""
    if not jobs:
        return {}
    found = accepted_keys(jobs).items()
    return {job: one.fingerprint for job, one in found if (at := ended.get(job)) is None or one.at > at}


def _read_applying(among: Collection[UUID] | None, drifts: dict[UUID, list[str]]) -> set[UUID]:
    """Return the jobs under a re-key whose order holds; of another one `drifts` is told."""
    steps = _of(RekeyJob.objects.filter(state__in=RekeyJob.OPEN), among).order_by()
    rows = list(steps.values_list("job_id", "rekey_id", "user_key", "new_fingerprint"))
    # One order stands behind hundreds of jobs.
    held = {pk: _targets(order) for pk, order in _orders({rekey for _, rekey, _, _ in rows})}
    applying = set()
    for job, rekey, user_key, fingerprint in rows:
        if held[rekey].get(job) == (user_key, fingerprint):
            applying.add(job)
        else:
            drifts[job].append("A change stands in the database whose order does not hold.")
    return applying


def _orders(rekeys: set[UUID]) -> Iterable[tuple[UUID, Any]]:
    return Rekey.objects.filter(pk__in=rekeys).values_list("pk", "order") if rekeys else ()


def _targets(envelope: Any) -> dict[UUID, tuple[UUID | None, str]]:
    try:
        order = orders.open_order(envelope, keys.signing_public())
    except (Forged, KeyUnavailable):
        return {}
    return {target.job: (target.user_key, target.new_fingerprint) for target in order.targets}


def _executed(among: Collection[UUID] | None) -> QuerySet[RekeyJob]:
    """Return the step that was executed last for each job."""
    steps = RekeyJob.objects.filter(state=RekeyJob.State.SUCCEEDED, user_key__isnull=False)
    return _of(steps, among).order_by("job_id", "-ended_at").distinct("job_id")


def _read_ended(jobs: Collection[UUID]) -> dict[UUID, datetime | None]:
    """Return when the last step ended, for the few jobs that its statement does not speak for."""
    return dict(_executed(jobs).values_list("job_id", "ended_at")) if jobs else {}


def _read_volumes(among: Collection[UUID] | None) -> dict[UUID, dict[UUID | None, Volume]]:
    live = _of(RestorePoint.objects.filter(dropped_at=None), among).order_by()
    # Rows, not ids, are counted: an index tells it all.
    by_version = live.values_list("job_id", "password_version_id")
    counted = by_version.annotate(points=Count("*"), bytes=Sum("size"))
    volumes: dict[UUID, dict[UUID | None, Volume]] = {}
    for job, version, count, size in counted:
        volumes.setdefault(job, {})[version] = Volume(count, int(size))
    return volumes
