"""What the console's pages share: who asks, a save by a use case, an action by a use case, bounded lists."""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.models import User
from audit.errors import Refused

# Behind the 100th page nobody reads on: they search. Counting up to it costs the same however long a list is.
WINDOW = 10_000
LONGEST_SEARCH = 200


class Window(Paginator):  # type: ignore[type-arg]
    """Counts no further than the window."""

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, or the window's size when there are more."""
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by().values("pk")[:WINDOW].count()


class Listed(admin.ModelAdmin[Any]):
    """A list that may be long."""

    paginator = Window
    show_full_result_count = False
    list_per_page = 100
    list_max_show_all = 200

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search for no more than somebody types."""
        return super().get_search_results(request, queryset, search_term[:LONGEST_SEARCH])


class ReadOnly(Listed):
    """Seen, never touched."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False


class Edited(Listed):
    """Saved by a use case, outside the console's own transaction; its refusal stands above the form."""

    def save_by(self, request: HttpRequest, row: Any | None, fields: dict[str, Any]) -> Model:
        """Make or change the row."""
        raise NotImplementedError

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form; once the use case refused, it says so."""
        made = super().get_form(request, obj, change, **kwargs)

        class Form(made):  # type: ignore[misc, valid-type]
            def clean(self) -> Any:
                cleaned = super().clean()
                if refusal := getattr(request, "refusal", ""):
                    raise ValidationError(refusal)
                return cleaned

        return Form

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Hand a valid form to the use case."""
        row = self.get_object(request, object_id) if object_id else None
        allowed = self.has_change_permission(request, row) if row else self.has_add_permission(request)
        if request.method != "POST" or not allowed or (object_id and row is None):
            return super().changeform_view(request, object_id, form_url, extra_context)
        form: forms.ModelForm[Any] = self.get_form(request, row, change=row is not None)(
            request.POST, instance=row
        )
        if not form.is_valid():
            return super().changeform_view(request, object_id, form_url, extra_context)
        names = form.changed_data if row is not None else form.cleaned_data
        try:
            saved = self.save_by(request, row, {name: form.cleaned_data[name] for name in names})
        except Refused as refused:
            request.refusal = str(refused)  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)
        messages.success(request, f"{saved} is saved.")
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An action deletes; the console's own delete knows no rule."""
        return False


def actor(request: HttpRequest) -> User:
    """Return who is signed in."""
    assert isinstance(request.user, User)  # noqa: S101 - the console lets nobody else in
    return request.user


def each(
    request: HttpRequest, rows: Iterable[tuple[UUID, Any]], done: str, use_case: Callable[..., object]
) -> None:
    """Hand each row's id to a use case and tell, by the row's name, what became of it."""
    for pk, name in rows:
        try:
            use_case(pk, by=actor(request))
        except Refused as refused:
            messages.error(request, f"{name}: {refused}")
        else:
            messages.success(request, f"{name} {done}.")
