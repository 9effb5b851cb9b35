"""Veeam servers: the list, and one server with all that is known of it."""

from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Role, User
from encryption import selectors
from encryption.models import Job, VeeamJob, VeeamServer
from veeamsec.pages import signs, words
from veeamsec.pages.signs import Sign
from veeamsec.pages.tiles import Tile
from veeamsec.pages.veeam import changes
from veeamsec.pages.viewer import page_of, viewer_of

_STATUSES = {
    "OK": (signs.QUIET, "Passed"),
    "Violation": (signs.REFUSE, "Not implemented"),
    "UnableToCheck": (signs.WAIT, "Unable to detect"),
    "Suppressed": (signs.QUIET, "Suppressed"),
}


def may_connect(viewer: User) -> bool:
    """Whether somebody may connect servers and change how they are known: Backup administrators."""
    return viewer.has_role(Role.ADMINISTRATOR)


@require_safe
def servers(request: HttpRequest) -> HttpResponse:
    """All Veeam servers."""
    viewer = viewer_of(request)
    live = ~Q(jobs__job__state=Job.State.DELETED) & Q(jobs__isnull=False)
    found = selectors.veeam_servers_for(viewer).annotate(job_count=Count("jobs", filter=live))
    rows = [
        {
            "url": reverse("veeam_server", args=[one.pk]),
            "opens": f"{reverse('opens')}?repository={one.pk}",
            "name": one.repository.name,
            "note": f"{one.vbr_name or one.address} · {one.build or 'not read yet'}",
            "jobs": one.job_count,
            "read": one.imported_at,
            "mode": mode_of(one),
        }
        for one in found
    ]
    context = {
        "rows": rows,
        "lead": f"{words.count(len(rows), 'server')}.",
        "may_connect": may_connect(viewer),
    }
    return render(request, "pages/veeam/servers.html", context)


def is_busy(server: VeeamServer) -> bool:
    """Whether an import runs, or the first one is still to begin."""
    return bool(server.progress) or (server.imported_at is None and not server.error)


def mode_of(server: VeeamServer) -> Sign:
    """How far a server is governed, with what keeps it from more."""
    if server.error:
        return Sign(signs.REFUSE, "Not readable", "alert-circle", server.error)
    if server.mode == VeeamServer.Mode.OFF:
        return Sign(signs.QUIET, "Disconnected")
    if server.mode == VeeamServer.Mode.WATCHING:
        return Sign(signs.QUIET, "Watching")
    others = server.enforcement.get("others") or []
    if server.enforcement.get("unchecked") or not server.enforcement.get("checked_at"):
        why = server.enforcement.get("unchecked", "The users there were not read yet.")
        return Sign(signs.WAIT, "Enforced, unchecked", "alert-triangle", why)
    if others:
        return Sign(
            signs.REFUSE, "Not enforced", "alert-circle", f"Others may change it: {', '.join(others)}."
        )
    return Sign(signs.ACT, "Enforced", "shield-check", "Nobody else may change passwords or jobs there.")


@require_safe
def server(request: HttpRequest, server_id: UUID) -> HttpResponse:
    """One server: how it is known, what is encrypted there, and what is not."""
    viewer = viewer_of(request)
    found = get_object_or_404(selectors.veeam_servers_for(viewer), pk=server_id)
    jobs = VeeamJob.objects.filter(server=found).exclude(job__state=Job.State.DELETED)
    gaps = changes.gaps_of(found)
    page = page_of(request, gaps)
    context = {
        "server": found,
        "mode": mode_of(found),
        "tiles": _tiles(found, jobs, gaps.count()),
        "facts": _facts(found),
        "gaps": [changes.line(gap, viewer) for gap in page],
        "page": page,
        "changes": [changes.line(drift, viewer) for drift in changes.open_of(found)[:20]],
        "analyzer": _analyzer(found),
        "muted": found.forwarding.get("muted") or [],
        "forwarding": found.forwarding,
        "may_connect": may_connect(viewer),
        "busy": is_busy(found),
    }
    return render(request, "pages/veeam/server.html", context)


def _tiles(found: VeeamServer, jobs: QuerySet[VeeamJob], gaps: int) -> list[Tile]:
    whole = jobs.exclude(type=VeeamJob.ORPHANED).count()
    encrypted = jobs.exclude(job__password=None).count()
    drifts = changes.open_of(found).count()
    configuration = found.configuration_backup
    safe = bool(configuration.get("enabled") and configuration.get("encrypted"))
    return [
        Tile(
            "Encrypted jobs",
            f"{encrypted:,}",
            f"of {whole:,}",
            href=f"{reverse('opens')}?repository={found.pk}",
            done=encrypted,
            total=whole,
        ),
        Tile(
            "Not encrypted, without a reason",
            str(gaps),
            note="below, each with what helps" if gaps else "nothing",
            tone="wait" if gaps else "",
            icon="lock-open" if gaps else "",
        ),
        Tile(
            "Unexplained changes",
            str(drifts),
            note="explain or revert them" if drifts else "none",
            href=reverse("drifts") if drifts else "",
            tone="refuse" if drifts else "",
            icon="alert-circle" if drifts else "",
        ),
        Tile(
            "Configuration backup",
            "Encrypted" if safe else "Not encrypted" if configuration.get("enabled") else "Off",
            note="it holds every key of this server",
            tone="" if safe else "refuse",
            icon="lock" if safe else "lock-open",
        ),
    ]


def _facts(found: VeeamServer) -> list[tuple[str, Any]]:
    known = found.thumbprint or "by its authority's certificate"
    return [
        ("Address", f"{found.address}:{found.port}"),
        ("Server", f"{found.vbr_name or 'not read yet'} · build {found.build or '?'}"),
        ("API", f"revision {found.revision or '?'} over {found.tls_version or '?'}"),
        ("Account", found.account),
        ("Certificate", known),
        ("Emergency account", found.emergency_account or "none named"),
    ]


def _analyzer(found: VeeamServer) -> list[dict[str, Any]]:
    rows = []
    for item in found.analyzer.get("items", []):
        tone, text = _STATUSES.get(item.get("status", ""), (signs.WAIT, item.get("status", "")))
        rows.append({"name": item.get("name") or item.get("bestPractice", ""), "sign": Sign(tone, text)})
    order = [signs.REFUSE, signs.WAIT, signs.QUIET]
    return sorted(rows, key=lambda row: (order.index(row["sign"].tone), row["name"]))
