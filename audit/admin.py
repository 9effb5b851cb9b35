"""The console's log and alarms: to read. Nobody edits what happened."""

import contextlib
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from audit.events import Event
from audit.models import Alarm, Entry

# The log grows for ever; its pages show the newest rows, and a search finds the rest.
WINDOW = 10_000


class Newest(Paginator):  # type: ignore[type-arg]
    """Counts no further than the window."""

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, or the window's size when there are more."""
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[:WINDOW].count())


class ReadOnly(admin.ModelAdmin[Any]):
    """Seen, never touched, whoever asks; a superuser included."""

    paginator = Newest
    show_full_result_count = False
    actions = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False


class Family(admin.SimpleListFilter):
    """What an entry is about, by the first word of its event."""

    title = parameter_name = "family"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the families."""
        names = dict.fromkeys(event.partition(".")[0] for event in Event)
        return [(name, name.replace("_", " ")) for name in sorted(names)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Entry]) -> QuerySet[Entry]:
        """Return the entries of a family."""
        wanted = [event for event in Event if event.partition(".")[0] == self.value()]
        return queryset if self.value() is None else queryset.filter(event__in=wanted)


@admin.register(Entry)
class EntryAdmin(ReadOnly):
    """The log."""

    list_display = ("sequence", "time", "event", "subject_type", "subject_id", "actor")
    list_filter = (Family, "time")
    search_fields = ("subject_id",)
    ordering = ("-sequence",)
    fields = readonly_fields = (
        "sequence",
        "time",
        "event",
        "actor",
        "person",
        "subject_type",
        "subject_id",
        "facts",
        "signed_text",
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Entry], search_term: str
    ) -> tuple[QuerySet[Entry], bool]:
        """Look up exactly, by the indexes: the log is long."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(subject_id=term) | Q(event=term)
        with contextlib.suppress(ValueError):
            wanted |= Q(actor=UUID(term))
        return queryset.filter(wanted), False

    @admin.display(description="signed text")
    def signed_text(self, entry: Entry) -> str:
        """The bytes under the log's tree."""
        return bytes(entry.canonical).decode()


@admin.register(Alarm)
class AlarmAdmin(ReadOnly):
    """What needs somebody."""

    list_display = ("text", "severity", "state", "raised_at", "resolved_at")
    list_filter = ("state", "severity", "kind")
    search_fields = ("text",)
