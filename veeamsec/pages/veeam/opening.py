"""Which password opens what, and until when: the page and its export."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from encryption import badge as badges
from encryption import selectors
from encryption.badge import State
from encryption.models import Job, PasswordVersion, Repository, VeeamServer
from encryption.selectors import opens
from veeamsec.pages import signs, words
from veeamsec.pages.tiles import Tile
from veeamsec.pages.veeam import bands
from veeamsec.pages.viewer import demand, page_of, viewer_of

_SHORTEST = timedelta(days=7)
# So many jobs are read at once for the export.
_BATCH = 200


@require_safe
def opens_page(request: HttpRequest) -> HttpResponse:
    """One row a job: which versions its restore points need, and whether the one in force was approved."""
    viewer = viewer_of(request)
    place, jobs = _asked(request, viewer)
    page = page_of(request, jobs)
    shown, now = list(page), timezone.now()
    found = opens.figures(jobs)
    context: dict[str, Any] = {
        "place": place,
        "server": _server(place),
        "lead": _lead(page.paginator.count, found),
        "tiles": _tiles(found),
        "labels": [],
        "rows": [],
        "page": page,
        "query": f"repository={place.pk}&" if place else "",
    }
    if shown:
        span = _span(shown, now)
        rows = opens.opened(shown, since=span.since, until=span.until)
        signed = badges.badges(shown, now)
        context |= {
            "labels": span.labels(),
            "rows": [_row(job, rows[job.pk], signed[job.pk], span, now) for job in shown],
        }
    return render(request, "pages/veeam/opens.html", context)


@require_safe
def opens_export(request: HttpRequest) -> StreamingHttpResponse:
    """The same as CSV, for all jobs: one line a stretch."""
    viewer = viewer_of(request)
    _, jobs = _asked(request, viewer)
    response = StreamingHttpResponse(_lines(jobs), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="what-opens-what.csv"'
    return response


def _asked(request: HttpRequest, viewer: User) -> tuple[Repository | None, QuerySet[Job]]:
    demand(viewer, "encryption.view_encryptionpassword")
    jobs = selectors.jobs_for(viewer).select_related("veeam")
    try:
        wanted = UUID(request.GET.get("repository", ""))
    except ValueError:
        return None, jobs
    place = selectors.repositories_for(viewer).filter(pk=wanted).first()
    return place, jobs.filter(repository=wanted)


def _server(place: Repository | None) -> VeeamServer | None:
    return VeeamServer.objects.filter(pk=place.pk).first() if place else None


def _span(jobs: list[Job], now: datetime) -> bands.Span:
    oldest = opens.oldest_point(jobs)
    return bands.Span(min(oldest, now - _SHORTEST) if oldest else now - _SHORTEST, now)


def _lead(jobs: int, found: opens.Figures) -> str:
    return (
        f"{words.count(jobs, 'job')}, {words.count(found.points, 'restore point')},"
        f" {words.count(found.passwords, 'password')} in {words.count(found.versions, 'version')}"
    )


def _tiles(found: opens.Figures) -> list[Tile]:
    needed = f"{words.count(found.older, 'older version')} still open something" if found.older else ""
    plain = f"{words.count(found.plain_points, 'restore point')} need none" if found.plain_points else ""
    if found.unknown_points:
        plain = f"of {words.count(found.unknown_points, 'restore point')} it is not known"
    return [
        Tile(
            "Needed today",
            str(found.passwords),
            "password" if found.passwords == 1 else "passwords",
            needed or plain,
        ),
        Tile(
            "Could be retired",
            str(found.retirable),
            "version" if found.retirable == 1 else "versions",
            "nothing needs them any more" if found.retirable else "every version is needed",
        ),
        Tile(
            "Held by nobody we know",
            str(found.unheld),
            "version" if found.unheld == 1 else "versions",
            words.count(found.unheld_points, "restore point") if found.unheld else "every value is held",
            tone="wait" if found.unheld else "",
            icon="alert-triangle" if found.unheld else "",
        ),
        Tile(
            "Unexplained changes",
            str(found.unexplained),
            note="explain or revert them" if found.unexplained else "none",
            href=reverse("drifts") if found.unexplained else "",
            tone="refuse" if found.unexplained else "",
            icon="alert-circle" if found.unexplained else "",
        ),
    ]


def _row(
    job: Job, opened: opens.Opened, badge: badges.Badge, span: bands.Span, now: datetime
) -> dict[str, Any]:
    shown = bands.bands(opened, span, changed=badge.state == State.DRIFT)
    veeam = getattr(job, "veeam", None)
    kind = veeam.type if veeam else "Native"
    return {
        "url": reverse("job", args=[job.pk]),
        "name": job.name,
        "note": f"{kind} · {words.count(opened.points, 'restore point')}",
        "sign": signs.of_badge(badge, now),
        "bands": shown,
        "drawing": bands.drawing(opened, span, shown),
    }


@dataclass(frozen=True, slots=True)
class _Echo:
    """A file that hands every line on."""

    def write(self, value: str) -> str:
        return value


def _lines(jobs: QuerySet[Job]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    head = ("job", "type", "version", "number", "held", "from", "to", "restore_points", "sign")
    yield writer.writerow(head)
    now, ids = timezone.now(), list(jobs.order_by("name", "pk").values_list("pk", flat=True))
    for start in range(0, len(ids), _BATCH):
        batch = list(jobs.filter(pk__in=ids[start : start + _BATCH]).order_by("name", "pk"))
        span = _span(batch, now)
        found, signed = opens.opened(batch, since=span.since, until=now), badges.badges(batch, now)
        for job in batch:
            for stretch in found[job.pk].stretches:
                yield writer.writerow(_cells(job, stretch, signed[job.pk].label))


def _cells(job: Job, stretch: opens.Stretch, sign: str) -> list[str | int]:
    version, veeam = stretch.version, getattr(job, "veeam", None)
    return [
        words.cell(job.name),
        veeam.type if veeam else "native",
        words.cell(version.hint) if version else "not encrypted" if stretch.known else "not known",
        version.number if version else "",
        _held(version),
        f"{stretch.begins:%Y-%m-%dT%H:%M:%SZ}",
        f"{stretch.ends:%Y-%m-%dT%H:%M:%SZ}",
        stretch.points,
        sign,
    ]


def _held(version: PasswordVersion | None) -> str:
    if version is None:
        return ""
    if opens.is_kms(version):
        return "KMS"
    return "yes" if version.sealed_password else "no"
