"""The console's jobs and repositories: edited by use cases, run by actions; the rest is seen."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.models import User
from audit.errors import Refused
from encryption.badge import badge
from encryption.models import (
    Drift,
    EncryptionPassword,
    Job,
    JobSession,
    Rekey,
    RekeyJob,
    Repository,
    RestorePoint,
)
from encryption.services import jobs, runs


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the console lets nobody else in
    return request.user


class ReadOnly(admin.ModelAdmin[Any]):
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


class Edited(admin.ModelAdmin[Any]):
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


@admin.register(Repository)
class RepositoryAdmin(Edited):
    """Places for backups."""

    list_display = ("name", "location", "media", "offsite", "offline", "immutable")
    search_fields = ("name", "location")
    fields = ("name", "location", "media", "offsite", "offline", "immutable")
    actions = ("forget",)

    def save_by(self, request: HttpRequest, row: Any | None, fields: dict[str, Any]) -> Model:
        """Make or change a repository."""
        if row is None:
            return jobs.create_repository(by=_actor(request), **fields)
        return jobs.change_repository(row.pk, by=_actor(request), **fields)

    @admin.action(description="Forget", permissions=["change"])
    def forget(self, request: HttpRequest, queryset: QuerySet[Repository]) -> None:
        """Forget repositories that no job uses."""
        for pk in queryset.values_list("pk", flat=True):
            _try(request, "is forgotten", jobs.delete_repository, pk)


@admin.register(Job)
class JobAdmin(Edited):
    """Jobs; their encryption changes by a request alone."""

    list_display = ("name", "repository", "state", "sign", "next_run_at")
    list_filter = ("state", "repository")
    search_fields = ("name", "source")
    fields = (
        "name",
        "repository",
        "source",
        "include",
        "exclude",
        "one_file_system",
        "schedule_minutes",
        "retention_points",
        "retention_days",
        "full_every",
        "compression",
        "data_category",
        "records_reference",
        "state",
        "password",
        "observed_fingerprint",
        "observed_at",
    )
    readonly_fields = ("password", "observed_fingerprint", "observed_at")
    actions = ("run", "delete")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Leave deleted jobs out."""
        return super().get_queryset(request).exclude(state=Job.State.DELETED).select_related("repository")

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A job is deleted by the action, not by its state."""
        if db_field.name == "state":
            kwargs["choices"] = [choice for choice in Job.State.choices if choice[0] != Job.State.DELETED]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    @admin.display(description="sign")
    def sign(self, job: Job) -> str:
        """The sign in words."""
        return badge(job).label

    def save_by(self, request: HttpRequest, row: Any | None, fields: dict[str, Any]) -> Model:
        """Make or change a job."""
        if row is None:
            return jobs.create_job(by=_actor(request), **fields)
        return jobs.change_job(row.pk, by=_actor(request), **fields)

    @admin.action(description="Run now", permissions=["change"])
    def run(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Ask for a run of each."""
        for pk in queryset.values_list("pk", flat=True):
            _try(request, "is queued", runs.start_backup, pk)

    @admin.action(description="Delete (jobs without encryption)", permissions=["change"])
    def delete(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """End jobs; those with encryption need a request."""
        for pk in queryset.values_list("pk", flat=True):
            _try(request, "is deleted", jobs.delete_job, pk)


@admin.register(RestorePoint)
class RestorePointAdmin(ReadOnly):
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
    list_filter = ("kind", "job")
    list_select_related = ("job", "password_version")
    actions = ("verify",)

    @admin.action(description="Verify", permissions=["view"])
    def verify(self, request: HttpRequest, queryset: QuerySet[RestorePoint]) -> None:
        """Ask for a verification of each."""
        for pk in queryset.values_list("pk", flat=True):
            _try(request, "is queued for verification", runs.start_verify, pk)


@admin.register(JobSession)
class JobSessionAdmin(ReadOnly):
    """What was done."""

    list_display = ("job", "kind", "state", "done_files", "done_bytes", "created_at", "ended_at")
    list_filter = ("kind", "state")
    list_select_related = ("job",)


@admin.register(EncryptionPassword)
class EncryptionPasswordAdmin(ReadOnly):
    """Hints; the values are sealed."""

    list_display = ("hint", "created_at", "deleted_at")


@admin.register(Rekey)
class RekeyAdmin(ReadOnly):
    """What approved requests set to work."""

    list_display = ("id", "action", "scope", "state", "created_at", "ended_at")
    list_filter = ("action", "state")


@admin.register(RekeyJob)
class RekeyJobAdmin(ReadOnly):
    """The steps, one a job."""

    list_display = ("job", "rekey", "state", "done", "total", "error", "ended_at")
    list_filter = ("state",)
    list_select_related = ("job",)


@admin.register(Drift)
class DriftAdmin(ReadOnly):
    """What was found changed."""

    list_display = ("job", "what", "found_at", "closed_at")
    list_filter = ("what",)
    list_select_related = ("job",)


def _try(request: HttpRequest, done: str, use_case: Any, pk: UUID) -> None:
    try:
        use_case(pk, by=_actor(request))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{pk} {done}.")
