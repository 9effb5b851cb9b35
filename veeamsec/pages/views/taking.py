"""Adopting a repository: what lies there goes on record, and what does not hold is named."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from audit.errors import Refused
from encryption import selectors
from encryption.models import Job, RepositoryAdoption
from encryption.services import adopting
from recovery.models import BackupServer
from veeamsec.pages import words
from veeamsec.pages.viewer import demand, page_of, viewer_of

_SHOWN = 5


@require_http_methods(["GET", "POST"])
def adopt(request: HttpRequest, repository_id: UUID) -> HttpResponse:
    """Say what adopting does and show the last readings; POST asks for one."""
    viewer = viewer_of(request)
    repository = get_object_or_404(selectors.repositories_for(viewer), pk=repository_id)
    demand(viewer, "encryption.add_job")
    refusal = ""
    if request.method == "POST":
        try:
            return redirect("repository_adoption", adopting.adopt(repository.pk, by=viewer).pk)
        except Refused as refused:
            refusal = str(refused)
    context = {
        "repository": repository,
        "refusal": refusal,
        "readings": repository.adoptions.all()[:_SHOWN],
    }
    return render(request, "pages/adopt.html", context, status=400 if refusal else 200)


@require_safe
def reading(request: HttpRequest, reading_id: UUID) -> HttpResponse:
    """What one reading put on record, and what it could not read."""
    viewer = viewer_of(request)
    seen = selectors.repositories_for(viewer).order_by()
    found = get_object_or_404(
        RepositoryAdoption.objects.filter(repository__in=seen.values("pk")).select_related("repository"),
        pk=reading_id,
    )
    jobs = selectors.jobs_for(viewer).filter(adopted__adoption=found).select_related("password")
    page = page_of(request, jobs.order_by("name"))
    context = {
        "reading": found,
        "repository": found.repository,
        "waits": found.done_at is None,
        "failed": found.state == RepositoryAdoption.State.FAILED,
        "lead": f"{words.count(found.jobs, 'job')} and {words.count(found.points, 'restore point')}"
        " were put on record.",
        "page": page,
        "jobs": [_job(job) for job in page],
        "more": found.unread - len(found.named),
        "signers": _signers(found.signers),
    }
    return render(request, "pages/adoption.html", context)


def _job(job: Job) -> dict[str, Any]:
    version = job.adopted.version
    return {
        "pk": job.pk,
        "name": job.name,
        "password": job.password,
        "unproven": version is not None and version.is_unproven,
    }


def _signers(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Return who signed the recovery lines: servers that are known here by their fingerprint."""
    known = {str(server.pk): server for server in BackupServer.objects.filter(pk__in=list(counts))}
    return [
        {"id": server, "points": points, "known": known.get(server)}
        for server, points in sorted(counts.items())
    ]
