"""How lists of the API are narrowed: by the filters that a view names, and by nothing else."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

PAGING = frozenset({"cursor", "page_size"})


class Filters(DjangoFilterBackend):  # type: ignore[misc]
    """Refuses a parameter that it does not know: a misspelt filter would show everything."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """Return the rows that are asked for."""
        filterset_class = self.get_filterset_class(view, queryset)
        known = PAGING | set(filterset_class.base_filters if filterset_class else ())
        if unknown := sorted(set(request.query_params) - known):
            why = f"There is no such filter. Known: {', '.join(sorted(known))}."
            raise ValidationError({name: [why] for name in unknown})
        narrowed: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return narrowed

    def get_filterset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        """Return the filters with their values; times are put into UTC: the database knows fewer zones."""
        filterset = super().get_filterset(request, queryset, view)
        if filterset is not None and filterset.is_valid():
            values = filterset.form.cleaned_data
            try:
                values |= {n: v.astimezone(UTC) for n, v in values.items() if isinstance(v, datetime)}
            except OverflowError as error:
                raise ValidationError("There is no such time.") from error
        return filterset
