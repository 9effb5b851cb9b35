"""Repositories and jobs with their schedules."""

from typing import Any

from django.contrib import admin
from django.db.models import F, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode

from encryption import badge
from encryption.admin import grants
from encryption.admin.console import Edited, actor, each
from encryption.models import Job, Repository, RestorePoint
from encryption.services import jobs, runs


class Scheduled(admin.SimpleListFilter):
    """Whether a job runs by itself."""

    title = "schedule"
    parameter_name = "schedule"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("yes", "By schedule"), ("no", "By hand"), ("late", "Overdue")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """Return the jobs of a choice."""
        match self.value():
            case "yes":
                return queryset.filter(schedule_minutes__isnull=False)
            case "no":
                return queryset.filter(schedule_minutes=None)
            case "late":
                return queryset.filter(state=Job.State.ACTIVE, next_run_at__lt=timezone.now())
        return queryset


class Encrypted(admin.SimpleListFilter):
    """Whether the next run is encrypted."""

    title = "encryption"
    parameter_name = "encrypted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("yes", "Encrypted"), ("no", "Plain")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """Return the jobs of a choice."""
        wanted = self.value()
        return queryset if wanted is None else queryset.filter(password__isnull=wanted == "no")


class Guarded(Edited):
    """Has a page that says who may do what with one row, beside what roles give."""

    change_form_template = "admin/encryption/guarded.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the page."""
        page = self.admin_site.admin_view(self.permissions_page)
        name = f"{self.opts.app_label}_{self.opts.model_name}_permissions"
        return [path("<uuid:row>/permissions/", page, name=name), *super().get_urls()]

    def permissions_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """Show it, or do what it asks."""
        return grants.page(request, self, row)


@admin.register(Repository)
class RepositoryAdmin(Guarded):
    """Places for backups."""

    list_display = ("name", "engine", "location", "media", "offsite", "offline", "immutable")
    list_filter = ("engine", "media", "offsite", "offline", "immutable")
    search_fields = ("name", "location")
    ordering = ("name",)
    fields = ("name", "location", "media", "offsite", "offline", "immutable")
    actions = ("forget",)

    def save_by(self, request: HttpRequest, row: Any | None, fields: dict[str, Any]) -> Model:
        """Make or change a repository."""
        if row is None:
            return jobs.create_repository(by=actor(request), **fields)
        return jobs.change_repository(row.pk, by=actor(request), **fields)

    @admin.action(description="Forget", permissions=["change"])
    def forget(self, request: HttpRequest, queryset: QuerySet[Repository]) -> None:
        """Forget repositories that no job uses."""
        each(request, queryset.values_list("pk", "name"), "is forgotten", jobs.delete_repository)


@admin.register(Job)
class JobAdmin(Guarded):
    """Jobs; their encryption changes by a request alone."""

    list_display = ("name", "repository", "state", "sign", "schedule_minutes", "next_run_at")
    list_filter = ("state", Scheduled, Encrypted)
    list_select_related = ("repository",)
    search_fields = ("name", "source", "repository__name", "data_category", "records_reference")
    # Not the search-as-you-type field: a screen reader finds no name on it.
    raw_id_fields = ("repository",)
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "repository", "state")}),
        ("What", {"fields": ("source", "include", "exclude", "one_file_system", "compression")}),
        ("When, and how long it is kept", {"fields": ("schedule_minutes", "next_run_at", "full_every")}),
        (None, {"fields": ("retention_points", "retention_days")}),
        ("For the records of processing", {"fields": ("data_category", "records_reference")}),
        ("Encryption", {"fields": ("password", "sign", "observed_fingerprint", "observed_at")}),
    )
    readonly_fields = ("next_run_at", "password", "sign", "observed_fingerprint", "observed_at")
    actions = ("run", "verify", "ask_for_activation", "ask_for_change", "delete")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Leave deleted jobs out."""
        return super().get_queryset(request).exclude(state=Job.State.DELETED)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Compute the signs of a page at once."""
        changes = super().get_changelist_instance(request)
        rows = list(changes.result_list)
        signs = badge.badges(rows)
        for job in rows:
            job.shown_sign = signs[job.pk].label
        changes.result_list = rows
        return changes

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A job is deleted by the action, not by its state."""
        if db_field.name == "state":
            kwargs["choices"] = [choice for choice in Job.State.choices if choice[0] != Job.State.DELETED]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    @admin.display(description="sign")
    def sign(self, job: Job) -> str:
        """The sign in words."""
        return getattr(job, "shown_sign", None) or badge.badge(job).label

    def save_by(self, request: HttpRequest, row: Any | None, fields: dict[str, Any]) -> Model:
        """Make or change a job."""
        if row is None:
            return jobs.create_job(by=actor(request), **fields)
        return jobs.change_job(row.pk, by=actor(request), **fields)

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Say whether the role runs jobs."""
        return actor(request).has_perm("encryption.run_job")

    def has_ask_permission(self, request: HttpRequest) -> bool:
        """Say whether the role asks for changes of encryption."""
        return actor(request).has_perm("encryption.ask_change_job")

    @admin.action(description="Run now", permissions=["run"])
    def run(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Ask for a run of each."""
        each(request, queryset.values_list("pk", "name"), "is queued", runs.start_backup)

    @admin.action(description="Verify the newest restore point", permissions=["run"])
    def verify(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Ask for a verification of each job's newest restore point."""
        newest = RestorePoint.objects.filter(job__in=queryset, dropped_at=None).order_by(
            "job_id", "-created_at"
        )
        rows = newest.distinct("job_id").values_list("pk", F("job__name"))
        each(request, rows, "is queued for verification", runs.start_verify)

    @admin.action(description="Ask for encryption …", permissions=["ask"])
    def ask_for_activation(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse:
        """Lead to the request's form, with these jobs chosen; another person decides."""
        return _form("ask_activate", [("job", pk) for pk in queryset.values_list("pk", flat=True)])

    @admin.action(description="Ask for another password …", permissions=["ask"])
    def ask_for_change(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponse | None:
        """Lead to the request's form for the one password that these jobs have."""
        passwords = set(queryset.values_list("password", flat=True))
        if len(passwords) != 1 or None in passwords:
            self.message_user(request, "Choose jobs that have one password in common.", "ERROR")
            return None
        return _form("ask_change", [("password", passwords.pop())])

    @admin.action(description="Delete (jobs without encryption)", permissions=["change"])
    def delete(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """End jobs; those with encryption need a request."""
        each(request, queryset.values_list("pk", "name"), "is deleted", jobs.delete_job)


def _form(name: str, given: list[tuple[str, Any]]) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse(name)}?{urlencode(given)}")
