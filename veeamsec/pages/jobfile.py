"""All that the page of one job shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.paginator import Page
from django.db.models import Min, Sum
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from approvals import selectors as approvals
from approvals import statement as statements
from approvals.models import ApprovalRequest, State
from encryption import badge as badges
from encryption import selectors
from encryption.badge import Badge
from encryption.models import Attestation, Drift, Engine, Job, JobSession, RestorePoint
from encryption.selectors import VersionUse
from recovery import selectors as custodies
from veeamsec.pages import charts, dossier, progress, reading, rows, signs, words
from veeamsec.pages.charts import Node
from veeamsec.pages.sheet import Eye, Fact
from veeamsec.pages.tiles import Tile


def of(job: Job, viewer: User, page: Page[RestorePoint]) -> dict[str, Any]:
    """The context of a job's page, for one viewer; its runs are added by the view."""
    now = timezone.now()
    badge, versions = badges.badge(job, now), selectors.versions_of(job)
    step = selectors.running_rekey(job)
    work = progress.rekey_of(step.rekey_id if step else None)
    last = selectors.sessions(job).filter(kind=JobSession.Kind.BACKUP).first()
    may_ask = selectors.may(viewer, "ask_change", job)
    asking = open_request(job.pk)
    return {
        "job": job,
        "sign": signs.of_badge(badge, now),
        "secured": signs.of_custody(custody_in_force(versions, now), now),
        "last_run": rows.last_run(last),
        "may_run": job.state == Job.State.ACTIVE and selectors.may(viewer, "run", job),
        "may_restore": selectors.may(viewer, "restore", job),
        "may_ask": may_ask and not asking and not work,
        **_ask(job, may_ask and not asking and not work),
        "drifts": [_drift(drift) for drift in Drift.objects.filter(job=job, closed_at=None)],
        "open_request": asking,
        "tiles": _tiles(job, badge, versions),
        "work": work,
        "points": [_point(point) for point in page],
        "points_page": page,
        "points_note": f"{words.count(page.paginator.count, 'point')}, the newest first" if page else "",
        "tree": _tree(job, versions),
        "proof": _proof(job, badge, viewer),
        "protection": _protection(job),
        "versions": [_version(use) for use in versions],
        "unproven": next((use.version for use in versions if use.in_force and use.version.is_unproven), None),
    }


def custody_in_force(uses: Sequence[VersionUse], now: datetime) -> custodies.Custody | None:
    """Who holds the version in force; None where none is."""
    in_force = next((use.version for use in uses if use.in_force), None)
    return custodies.custody_of([in_force], now)[in_force.pk] if in_force is not None else None


def _protection(job: Job) -> dict[str, Any] | None:
    """Whether a lost password is the end: said for what is encrypted."""
    if job.repository.engine != Engine.NATIVE:
        return {"veeam": True} if job.password_id else None
    found = selectors.loss_protection(job)
    if not found.encrypted and not job.password_id:
        return None
    return {
        "on": found.since is not None,
        "whole": found.is_whole,
        "protected": found.protected,
        "encrypted": found.encrypted,
        "may_cover": found.since is not None and not found.is_whole,
    }


def _ask(job: Job, may_ask: bool) -> dict[str, str]:
    if not may_ask:
        return {"ask_url": "", "ask_words": ""}
    if job.password_id:
        return {
            "ask_url": f"{reverse('ask_change')}?password={job.password_id}",
            "ask_words": "Change password",
        }
    return {"ask_url": f"{reverse('ask_activate')}?job={job.pk}", "ask_words": "Activate encryption"}


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """The request that a thing waits for."""

    title: str
    number: int
    url: str
    waits: bool


def open_request(ref: UUID) -> OpenRequest | None:
    """The open request that touches a job or password, if there is one."""
    found = approvals.open_touching([ref]).get(ref)
    if found is None:
        return None
    title, url = reading.title(statements.parse(bytes(found.statement))), reverse("request", args=[found.pk])
    return OpenRequest(title, found.number, url, waits=found.state == State.PENDING)


def _drift(drift: Drift) -> dict[str, Any]:
    return {"words": drift.text, "at": drift.found_at}


def _tiles(job: Job, badge: Badge, versions: list[VersionUse]) -> list[Tile]:
    live = RestorePoint.objects.filter(job=job, dropped_at=None)
    found = live.aggregate(size=Sum("size"), oldest=Min("created_at"))
    now, count = timezone.now(), live.count()
    current = next((use.version for use in versions if use.in_force), None)
    on = job.password_id is not None
    cipher = f"AES-256-GCM · version {current.number} in force" if current else "from the next run"
    plain = "the next run writes without" if current else "nothing is encrypted"
    oldest = f", oldest {words.day(found['oldest'], now)}" if found["oldest"] else ""
    due, seen = job.next_run_at, job.observed_at
    return [
        Tile(
            "Encryption",
            "On" if on else "Off",
            icon="lock" if on else "lock-open",
            tone="" if on else "refuse",
            note=cipher if on else plain,
        ),
        Tile("Observed", words.ago(seen, now) if seen else "never", note=_observed(job, badge)),
        Tile(
            "Restore points",
            f"{count:,}",
            note=f"{words.size(found['size'] or 0)}{oldest}",
            href="#restore-points",
        ),
        Tile(
            "Next run",
            words.ago(due, now) if due and due > now else "due" if due else "by hand",
            note="a full backup"
            if job.full_next or not count
            else f"keeps {words.count(job.retention_points, 'point')}",
        ),
    ]


def _observed(job: Job, badge: Badge) -> str:
    if job.observed_at is None:
        return "its folder was not read yet"
    if badge.state == badges.State.DRIFT:
        return "not the approved key"
    return (
        "the approved key" if badge.attestation_id and badge.state != badges.State.UNKNOWN else "the key file"
    )


def _point(point: RestorePoint) -> dict[str, Any]:
    version = point.password_version
    shown = None
    if version is not None:
        url = reverse("password", args=[version.password_id])
        shown = {"hint": version.hint, "number": version.number, "url": url}
    return {
        "id": point.pk,
        "at": point.created_at,
        "kind": point.get_kind_display().lower(),
        "size": point.size,
        "entries": point.entries,
        "source_bytes": point.source_bytes,
        "version": shown,
    }


def _version(use: VersionUse) -> dict[str, Any]:
    opens = f"opens {words.count(use.points, 'point')}" if use.points else "opens nothing now"
    place = "in force" if use.in_force else "erased" if use.version.erased_at else "kept sealed"
    return {
        "number": use.version.number,
        "hint": use.version.hint,
        "in_force": use.in_force,
        "words": f"{place} · {opens}" + (" · unproven" if use.version.is_unproven else ""),
    }


def _proof(job: Job, badge: Badge, viewer: User) -> dict[str, Any]:
    eyes: list[Eye] = []
    facts = [
        Fact("Observed", at=job.observed_at),
        Fact("Key file", digest=job.observed_fingerprint),
    ]
    row = Attestation.objects.filter(pk__in=[badge.attestation_id]).select_related("rekey").first()
    request = ApprovalRequest.objects.filter(pk=row.rekey.request).first() if row else None
    if request is not None and row is not None:
        eyes = dossier.eyes_of(request, viewer)
        facts.insert(0, Fact("Request", f"R-{request.number}", url=reverse("request", args=[request.pk])))
        facts.append(Fact("Evidence", at=row.created_at))
    level = {
        "signed": "The approval is signed with a passkey, and the worker checked it.",
        "recorded": "The approval is recorded: a code or password cannot be checked afterwards.",
    }.get(badge.proof or "", "")
    said = " ".join([f"{badge.label}.", *badge.reasons, level])
    url = reverse("api-evidence", args=[request.pk]) if request is not None else ""
    return {
        "eyes": eyes,
        "words": said,
        "facts": [fact for fact in facts if fact.words or fact.digest or fact.at],
        "evidence_url": url,
    }


# So many keys are drawn one by one; the others as one box.
DRAWN = 2


def _tree(job: Job, versions: list[VersionUse]) -> dict[str, Any]:
    live = selectors.restore_points(job)
    sealed, now = live.exclude(storage_key=None), timezone.now()
    shown, count, plain = list(sealed[:DRAWN]), sealed.count(), live.filter(storage_key=None).count()
    keys = [_storage_key(point, now) for point in shown]
    if count > len(shown):
        more = count - len(shown)
        keys.append(
            Node(
                "Storage keys", words.count(more, "older point"), children=[Node("Session keys", f"{more:,}")]
            )
        )
    current = next((use.version for use in versions if use.in_force), None)
    roots = []
    if current is not None:
        roots.append(Node("User key", f"{current.hint[:20]} · version {current.number}", "user", keys))
    if plain or not roots:
        note = words.count(plain, "point") if plain else "no restore points yet"
        roots.append(Node("No key", note, "none"))
    return {"svg": charts.tree(roots), "text": charts.twin(roots)}


def _storage_key(point: RestorePoint, now: datetime) -> Node:
    stamp = f"{words.day(point.created_at, now)} {point.created_at:%H:%M}"
    return Node(
        "Storage key", f"{point.get_kind_display()} · {stamp}", children=[Node("Session key, metakey", stamp)]
    )
