"""Passwords and the places where backups lie: what each opens, never a value."""

from typing import Any
from uuid import UUID

from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from approvals.models import ApprovalRequest
from encryption import badge as badges
from encryption import selectors
from encryption.models import EncryptionPassword, Engine, Job, PasswordVersion, Repository, RestorePoint
from encryption.selectors import VersionUse
from veeamsec.pages import jobfile, signs, words
from veeamsec.pages.veeam import adopting
from veeamsec.pages.viewer import demand, page_of, viewer_of

STRENGTHS = ("trivial", "weak", "fair", "good", "strong")


@require_safe
def passwords(request: HttpRequest) -> HttpResponse:
    """All passwords, by hint."""
    viewer = viewer_of(request)
    demand(viewer, "encryption.view_encryptionpassword")
    page = page_of(request, selectors.passwords_for(viewer))
    points = RestorePoint.objects.filter(
        dropped_at=None, password_version__password__in=[one.pk for one in page]
    )
    opens = dict(points.order_by().values_list("password_version__password").annotate(Count("pk")))
    context = {
        "lead": f"{words.count(page.paginator.count, 'password')}.",
        "may_ask": viewer.has_perm("encryption.ask_change_job"),
        "rows": [_row(password, opens.get(password.pk, 0)) for password in page],
        "page": page,
    }
    return render(request, "pages/passwords.html", context)


def _row(password: EncryptionPassword, opens: int) -> dict[str, Any]:
    versions = sorted(password.versions.all(), key=lambda one: one.number)
    current = next((one for one in reversed(versions) if one.in_force_from), None)
    jobs = [job.name for job in password.jobs.all() if job.state != Job.State.DELETED]
    return {
        "url": reverse("password", args=[password.pk]),
        "hint": password.hint,
        "note": ", ".join(jobs[:3]) + (f" and {len(jobs) - 3} more" if len(jobs) > 3 else "")
        or "no job uses it now",
        "number": current.number if current else None,
        "since": current.in_force_from if current else None,
        "jobs": len(jobs),
        "opens": opens,
    }


@require_safe
def password(request: HttpRequest, password_id: UUID) -> HttpResponse:
    """One password: its versions, what each still opens, and its jobs."""
    viewer = viewer_of(request)
    found = get_object_or_404(selectors.passwords_for(viewer), pk=password_id)
    jobs, uses, now = (
        selectors.jobs_of_password(found.pk),
        selectors.versions_of_password(found),
        timezone.now(),
    )
    signed = badges.badges(jobs, now)
    asking = jobfile.open_request(found.pk)
    opens = sum(use.points for use in uses)
    custody = jobfile.custody_in_force(uses, now)
    context = {
        "password": found,
        "lead": f"{words.count(len(jobs), 'job')} · opens {words.count(opens, 'restore point')}.",
        "may_ask": viewer.has_perm("encryption.ask_change_job") and not asking,
        "may_delete": not jobs and not opens,
        "may_adopt": adopting.may_adopt(viewer, found),
        "open_request": asking,
        "custody": custody,
        "secured": signs.of_custody(custody, now),
        "versions": _versions(uses),
        "jobs": [
            {
                "url": reverse("job", args=[job.pk]),
                "name": job.name,
                "sign": signs.of_badge(signed[job.pk], now),
            }
            for job in jobs
        ],
    }
    return render(request, "pages/password.html", context)


def _versions(uses: list[VersionUse]) -> list[dict[str, Any]]:
    ids = [use.version.request for use in uses if use.version.request]
    numbers = dict(ApprovalRequest.objects.filter(pk__in=ids).values_list("pk", "number"))
    return [
        {
            "number": use.version.number,
            "hint": use.version.hint,
            "in_force": use.in_force,
            "since": use.version.in_force_from,
            "until": use.version.in_force_until,
            "opens": use.points,
            "strength": _strength(use.version),
            "request": {
                "url": reverse("request", args=[use.version.request]),
                "number": numbers[use.version.request],
            }
            if use.version.request in numbers
            else None,
        }
        for use in uses
    ]


def _strength(version: PasswordVersion) -> str:
    if version.sealed_password is None and version.erased_at is None:
        return "not known here"
    return f"{STRENGTHS[version.strength]}, {version.length} characters"


@require_safe
def repositories(request: HttpRequest) -> HttpResponse:
    """The places where backups lie."""
    viewer = viewer_of(request)
    live = Q(jobs__restore_points__dropped_at=None)
    found = selectors.repositories_for(viewer).annotate(
        job_count=Count("jobs", filter=~Q(jobs__state=Job.State.DELETED), distinct=True),
        point_count=Count("jobs__restore_points", filter=live, distinct=True),
        byte_count=Sum("jobs__restore_points__size", filter=live),
    )
    context = {
        "lead": f"{words.count(len(found), 'repository', 'repositories')}.",
        "may_add": viewer.is_staff and viewer.has_perm("encryption.add_repository"),
        "may_adopt": viewer.has_perm("encryption.add_job"),
        "rows": [_place(repository) for repository in found],
    }
    return render(request, "pages/repositories.html", context)


def _place(repository: Repository) -> dict[str, Any]:
    marks = [
        name
        for name, on in (
            ("off-site", repository.offsite),
            ("offline", repository.offline),
            ("immutable", repository.immutable),
        )
        if on
    ]
    return {
        "id": repository.pk,
        "name": repository.name,
        "native": repository.engine == Engine.NATIVE,
        "location": repository.location,
        "media": repository.media,
        "stands": ", ".join(marks) or "on-site, online",
        "jobs": getattr(repository, "job_count", 0),
        "points": getattr(repository, "point_count", 0),
        "bytes": getattr(repository, "byte_count", 0) or 0,
    }
