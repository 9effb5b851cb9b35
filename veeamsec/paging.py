"""Cursor pages for every list of the API."""

from typing import Any

from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class Pages(CursorPagination):
    """Newest first, unless the view names another unique order in `cursor_ordering`."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = "-created_at"

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        """The view's order; the primary key breaks ties."""
        ordering = getattr(view, "cursor_ordering", self.ordering)
        fields = (ordering,) if isinstance(ordering, str) else tuple(ordering)
        return (*fields, "-pk")
