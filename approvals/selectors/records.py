"""The data of the printable record: one page about one request, in words."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from approvals.models import ApprovalRequest, Kind, Policy, State
from approvals.selectors.details import RequestDetail, request_detail
from audit import keys
from audit import selectors as log
from audit.events import Event
from encryption.models import Attestation

TOLD = {
    Event.REQUEST_CREATED: "Asked",
    Event.VOTE_CAST: "Decided",
    Event.REQUEST_APPROVED: "Approved",
    Event.REQUEST_REJECTED: "Rejected",
    Event.REQUEST_WITHDRAWN: "Withdrawn",
    Event.REQUEST_EXPIRED: "Expired",
    Event.REQUEST_LAPSED: "Lapsed",
    Event.REQUEST_STALE: "Went stale",
    Event.REQUEST_EXECUTED: "Executed",
    Event.REQUEST_FAILED: "Failed",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One moment in the life of a request, with the number of its log entry."""

    at: datetime
    what: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that the printed page says."""

    detail: RequestDetail
    title: str
    outcome: str
    change: tuple[tuple[str, str], ...]
    procedure: str
    life: tuple[Line, ...]
    attestations: tuple[Attestation, ...]
    # By this the reader knows the key whose signatures the evidence carries.
    keyid: str


def request_record(request: ApprovalRequest, viewer: User) -> Record:
    """Return the record of a request; NotFound when it is not the viewer's to know."""
    detail = request_detail(request.pk, viewer)
    entries = log.entries(subject=request.pk).order_by("sequence")
    policy = Policy.objects.get(pk=detail.statement.policy["id"])
    return Record(
        detail=detail,
        title=f"{request}: {Kind(request.kind).label}",
        outcome=" ".join(part for part in (State(detail.state).label + ".", request.outcome) if part),
        change=_change(detail),
        procedure=policy.procedure_text,
        life=tuple(
            Line(entry.time, TOLD[Event(entry.event)], entry.sequence)
            for entry in entries
            if entry.event in set(TOLD)
        ),
        attestations=tuple(Attestation.objects.filter(rekey__request=request.pk).select_related("job")),
        keyid=keys.signing_keyid(),
    )


def _change(detail: RequestDetail) -> tuple[tuple[str, str], ...]:
    change = detail.statement.change
    jobs = ", ".join(str(target["name"]) for target in detail.statement.targets if target["type"] == "job")
    rows = [("Jobs", jobs)] if jobs else []
    if "hint" in change:
        rows.append(("Password", f"{change['hint']}, version {change['version']}"))
    if "from_version" in change:
        rows.append(("Replaces", f"version {change['from_version']}"))
    if "start" in change:
        rows.append(("Takes hold", "at once" if change["start"] == "now" else "with the next run"))
    if "scope" in change:
        rows.append(("Scope", "keys" if change["scope"] == "keys" else "keys and data"))
    if "then" in change:
        kept = "are kept until they retire" if change["then"] == "keep" else "are deleted after a plain full"
        rows.append(("Encrypted restore points", kept))
    return tuple(rows)
