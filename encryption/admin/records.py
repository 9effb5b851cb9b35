"""What was done and what there is: restore points, runs, passwords by their hints, re-keys, drifts."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from encryption.admin.console import LONGEST_SEARCH, ReadOnly, actor, each
from encryption.models import (
    Drift,
    EncryptionPassword,
    Job,
    JobSession,
    PasswordVersion,
    Rekey,
    RekeyJob,
    RestorePoint,
)
from encryption.services import runs


class Presence(admin.SimpleListFilter):
    """Whether a field of a row is filled."""

    field = ""
    yes, no = "Yes", "No"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("yes", self.yes), ("no", self.no)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of a choice."""
        wanted = self.value()
        return queryset if wanted is None else queryset.filter(**{f"{self.field}__isnull": wanted == "no"})


class Verified(Presence):
    """Whether a restore point was read and checked."""

    title = parameter_name = "verified"
    field = "verified_at"


class Dropped(Presence):
    """Whether retention dropped a restore point."""

    title = parameter_name = "dropped"
    field = "dropped_at"


class UnderPassword(Presence):
    """Whether a restore point needs a password."""

    title, parameter_name, field = "encryption", "encrypted", "password_version"
    yes, no = "Encrypted", "Plain"


class Closed(Presence):
    """Whether a drift is closed."""

    title = parameter_name = "closed"
    field = "closed_at"


class OfAJob(ReadOnly):
    """Rows of one job: found by its name, or by an id."""

    search_fields = ("job__name",)
    list_select_related: ClassVar[Any] = ("job",)
    ordering: ClassVar[Any] = ("-created_at",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look an id up by the index; everything else is a name."""
        term = search_term.strip()[:LONGEST_SEARCH]
        if not term:
            return queryset, False
        try:
            wanted = UUID(term)
        except ValueError:
            # One look at the few jobs, not one at each of many rows.
            named = Job.objects.filter(name__icontains=term)
            return queryset.filter(job__in=named.values("pk")), False
        return queryset.filter(Q(pk=wanted) | Q(job=wanted)), False


@admin.register(RestorePoint)
class RestorePointAdmin(OfAJob):
    """What can be restored."""

    list_display = (
        "id",
        "job",
        "kind",
        "created_at",
        "size",
        "password_version",
        "verified_at",
        "dropped_at",
    )
    list_filter = ("kind", Verified, UnderPassword, Dropped, "created_at")
    list_select_related = ("job", "password_version")
    fields = (
        "id",
        "job",
        "kind",
        "base_id",
        "created_at",
        "size",
        "source_bytes",
        "entries",
        "storage_key",
        "password_version",
        "verified_at",
        "dropped_at",
    )
    readonly_fields = fields
    actions = ("verify",)

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Say whether the role runs jobs."""
        return actor(request).has_perm("encryption.run_job")

    @admin.action(description="Verify", permissions=["run"])
    def verify(self, request: HttpRequest, queryset: QuerySet[RestorePoint]) -> None:
        """Ask for a verification of each."""
        each(
            request, queryset.values_list("pk", "job__name"), "is queued for verification", runs.start_verify
        )


@admin.register(JobSession)
class JobSessionAdmin(OfAJob):
    """What was done."""

    list_display = ("id", "job", "kind", "state", "done_files", "done_bytes", "created_at", "ended_at")
    list_filter = ("kind", "state", "created_at")
    exclude = ("fence", "lease_until")


@admin.register(EncryptionPassword)
class EncryptionPasswordAdmin(ReadOnly):
    """Hints; the values are sealed and shown nowhere."""

    list_display = ("hint", "created_at", "deleted_at")
    search_fields = ("hint",)
    ordering = ("hint",)
    fields = readonly_fields = ("hint", "created_at", "deleted_at")


@admin.register(PasswordVersion)
class PasswordVersionAdmin(ReadOnly):
    """Versions of passwords: when each was in force, and how strong the worker judged it."""

    list_display = ("password", "number", "strength", "in_force_from", "in_force_until", "erased_at")
    list_select_related = ("password",)
    search_fields = ("password__hint", "hint")
    ordering = ("-created_at",)
    # Sealed values stay out of every page, even as bytes.
    fields = readonly_fields = (
        "password",
        "number",
        "hint",
        "strength",
        "length",
        "request",
        "in_force_from",
        "in_force_until",
        "erased_at",
        "created_at",
    )


@admin.register(Rekey)
class RekeyAdmin(ReadOnly):
    """What approved requests set to work."""

    list_display = ("id", "action", "scope", "state", "created_at", "ended_at")
    list_filter = ("action", "scope", "state")
    search_fields = ("=id", "=request")
    ordering = ("-created_at",)


@admin.register(RekeyJob)
class RekeyJobAdmin(OfAJob):
    """The steps, one a job."""

    list_display = ("job", "rekey", "state", "done", "total", "error", "ended_at")
    list_filter = ("state",)
    list_select_related = ("job", "rekey")
    ordering = ("-rekey__created_at",)


@admin.register(Drift)
class DriftAdmin(OfAJob):
    """What was found changed."""

    list_display = ("job", "what", "found_at", "closed_at")
    list_filter = ("what", Closed)
    ordering = ("-found_at",)
