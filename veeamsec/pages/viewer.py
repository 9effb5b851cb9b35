"""Who looks at a page, and what pages demand of them."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User

PAGE = 25


def viewer_of(request: HttpRequest) -> User:
    """The signed-in person of a request; no page is drawn for anybody else."""
    if not isinstance(request.user, User) or not request.user.is_authenticated:
        raise PermissionDenied("Sign in first.")
    return request.user


def demand(viewer: User, permission: str) -> None:
    """Refuse who lacks a permission."""
    if not viewer.has_perm(permission):
        raise PermissionDenied("This page is for other roles than yours.")


def page_of(request: HttpRequest, found: QuerySet[Any] | Sequence[Any], size: int = PAGE) -> Page[Any]:
    """The asked-for page of a list; a number that is none leads to the first or last one."""
    return Paginator(found, size).get_page(request.GET.get("page"))
