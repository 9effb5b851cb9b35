"""Who looks at a page, and what pages demand of them."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from accounts.models import User
from accounts.rules import Standing
from approvals import selectors as approvals
from approvals.models import ApprovalRequest

PAGE = 25


def viewer_of(request: HttpRequest) -> User:
    """The signed-in person of a request; no page is drawn for anybody else."""
    if not isinstance(request.user, User) or not request.user.is_authenticated:
        raise PermissionDenied("Sign in first.")
    if request.method in ("GET", "HEAD") and not hasattr(request, "shown_to"):
        standing = getattr(request, "standing", None) or request.user.facts()
        request.shown_to = _of_one_moment(request.user, standing)  # type: ignore[attr-defined]
    return request.user


def _of_one_moment(viewer: User, standing: Standing) -> Standing:
    """A page that only shows is of one moment: who looks is read for it once, not at each question."""
    viewer.facts = lambda now=None: standing  # type: ignore[method-assign]
    return standing


def waiting_for(request: HttpRequest) -> list[ApprovalRequest]:
    """What waits for the viewer's decision; the frame and the page ask for it, and it is read once."""
    found: list[ApprovalRequest] | None = getattr(request, "waiting", None)
    if found is None:
        found = approvals.inbox(viewer_of(request))
        request.waiting = found  # type: ignore[attr-defined]
    return found


def demand(viewer: User, permission: str) -> None:
    """Refuse who lacks a permission."""
    if not viewer.has_perm(permission):
        raise PermissionDenied("This page is for other roles than yours.")


def sent(request: HttpRequest) -> QueryDict | None:
    """Return what a form was sent with, or None where it is only shown: nothing at all is an answer too."""
    return request.POST if request.method == "POST" else None


def page_of(request: HttpRequest, found: QuerySet[Any] | Sequence[Any], size: int = PAGE) -> Page[Any]:
    """The asked-for page of a list; a number that is none leads to the first or last one."""
    return Paginator(found, size).get_page(request.GET.get("page"))
