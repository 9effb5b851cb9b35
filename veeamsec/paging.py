"""Cursor pages for every list of the API."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError as NoSuchValue
from django.db import DataError
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

CURSOR = {"cursor": ["Take it from `next` or `previous` of another page."]}


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

    def get_page_size(self, request: Request) -> int:
        """Return what is asked for; a number that cannot be is refused, not replaced."""
        asked = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if not (asked.isascii() and asked.isdecimal() and 1 <= int(asked[:9]) <= self.max_page_size):
            raise ValidationError({"page_size": [f"A page has 1 to {self.max_page_size} rows."]})
        return int(asked)

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: Any = None
    ) -> list[Any] | None:
        """Return the rows of a page; a cursor that no page has named is refused."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, NoSuchValue, ValueError, OverflowError, DataError) as error:
            raise ValidationError(CURSOR) from error
