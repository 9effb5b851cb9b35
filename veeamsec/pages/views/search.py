"""One field for jobs, passwords and requests."""

from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import User
from approvals import selectors as approvals
from approvals import statement as statements
from approvals.models import RequestTarget
from encryption import selectors as encryption
from veeamsec.pages import reading, words
from veeamsec.pages.viewer import viewer_of

MOST, LONGEST = 10, 100


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """What fits; a request's number leads straight to it."""
    viewer = viewer_of(request)
    query = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST]
    number = query.upper().removeprefix("R-")
    if number.isascii() and number.isdigit() and len(number) < 16:
        found = approvals.visible(viewer).filter(number=int(number)).first()
        if found:
            return redirect("request", found.pk)
    groups = [group for group in _groups(viewer, query) if group["hits"]] if query else []
    count = sum(len(group["hits"]) for group in groups)
    lead = (
        f"{words.count(count, 'hit')}."
        if count
        else "Nothing fits. Try a part of a name, a folder, or R-1042."
    )
    if not query:
        lead = "Type a part of a job's or password's name, a folder, or the number of a request."
    return render(request, "pages/search.html", {"query": query, "lead": lead, "groups": groups})


def _groups(viewer: User, query: str) -> list[dict[str, Any]]:
    return [
        {"title": "Jobs", "icon": "server-2", "hits": _jobs(viewer, query)},
        {"title": "Passwords", "icon": "key", "hits": _passwords(viewer, query)},
        {"title": "Requests", "icon": "inbox", "hits": _requests(viewer, query)},
    ]


def _jobs(viewer: User, query: str) -> list[dict[str, str]]:
    fits = Q(name__icontains=query) | Q(source__icontains=query) | Q(repository__name__icontains=query)
    return [
        {
            "url": reverse("job", args=[job.pk]),
            "title": job.name,
            "note": f"{job.source} → {job.repository.name}",
        }
        for job in encryption.jobs_for(viewer).filter(fits)[:MOST]
    ]


def _passwords(viewer: User, query: str) -> list[dict[str, str]]:
    fits = Q(hint__icontains=query) | Q(versions__hint__icontains=query)
    return [
        {
            "url": reverse("password", args=[one.pk]),
            "title": one.hint,
            "note": words.count(one.jobs.count(), "job"),
        }
        for one in encryption.passwords_for(viewer).filter(fits).distinct()[:MOST]
    ]


def _requests(viewer: User, query: str) -> list[dict[str, str]]:
    jobs = encryption.jobs_for(viewer).filter(name__icontains=query).order_by()
    passwords = encryption.passwords_for(viewer).filter(hint__icontains=query).order_by()
    targets = RequestTarget.objects.filter(
        Q(ref__in=jobs.values("pk")) | Q(ref__in=passwords.values("pk")), request=OuterRef("pk")
    )
    fits = Q(Exists(targets)) | Q(asker__person__name__icontains=query)
    return [
        {
            "url": reverse("request", args=[one.pk]),
            "title": reading.title(statements.parse(bytes(one.statement))),
            "note": f"R-{one.number} · {one.get_state_display()}",
        }
        for one in approvals.visible(viewer).filter(fits)[:MOST]
    ]
