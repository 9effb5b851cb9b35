"""The page of one job or repository that says who may do what with it, beside what roles give."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from accounts.models import Role, User
from audit.errors import Refused
from encryption import rules
from encryption.admin.console import actor
from encryption.models import Job, JobUserObjectPermission, Repository, RepositoryUserObjectPermission
from encryption.services import grants

WORDS = {
    "view": "see it",
    "run": "run it",
    "restore": "restore from it",
    "ask_change": "ask for a change of its encryption",
    "decide": "decide on requests for its jobs",
}


class GrantForm(forms.Form):
    """Whom, and what."""

    user = forms.CharField(
        label="Account", help_text="The name that this account signs in with", max_length=150
    )
    verb = forms.ChoiceField(label="May")

    def __init__(self, verbs: tuple[str, ...], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["verb"].choices = [(verb, WORDS[verb]) for verb in verbs]  # type: ignore[attr-defined]

    def clean_user(self) -> User:
        """Return the account of that name."""
        found = User.objects.filter(username=self.cleaned_data["user"].strip()).first()
        if found is None:
            raise forms.ValidationError("There is no such account.")
        return found


def page(request: HttpRequest, console: admin.ModelAdmin[Any], pk: UUID) -> HttpResponse:
    """Show who may do what; grant, or take away."""
    row = console.get_object(request, str(pk))
    if row is None:
        raise Http404
    if not console.has_view_permission(request, row):
        raise PermissionDenied
    verbs = rules.JOB_VERBS if isinstance(row, Job) else rules.REPOSITORY_VERBS
    form = GrantForm(verbs, request.POST if request.POST.get("do") == "grant" else None)
    if request.method == "POST" and _done(request, row, form):
        return HttpResponseRedirect(request.path)
    context = {
        **console.admin_site.each_context(request),
        "title": f"Who may do what with {row}",
        "opts": console.opts,
        "row": row,
        "form": form,
        "may_grant": actor(request).has_role(Role.ADMINISTRATOR),
        "grants": [
            {"user": one.user, "verb": _verb(one), "words": WORDS.get(_verb(one), _verb(one))}
            for one in _rows(row)
        ],
    }
    return render(request, "admin/encryption/permissions.html", context)


def _done(request: HttpRequest, row: Job | Repository, form: GrantForm) -> bool:
    try:
        if request.POST.get("do") == "revoke":
            grants.revoke(row, request.POST.get("verb", ""), of=_id(request), by=actor(request))
            messages.success(request, "It is taken away.")
        elif form.is_valid():
            to = form.cleaned_data["user"]
            grants.grant(row, form.cleaned_data["verb"], to=to.pk, by=actor(request))
            messages.success(request, f"{to} may {WORDS[form.cleaned_data['verb']]}.")
        else:
            return False
    except Refused as refused:
        messages.error(request, str(refused))
    return True


def _id(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("user", ""))
    except ValueError as error:
        raise Http404 from error


def _rows(row: Job | Repository) -> Any:
    model = JobUserObjectPermission if isinstance(row, Job) else RepositoryUserObjectPermission
    rows = model._default_manager.filter(content_object=row).select_related("user__person", "permission")
    return rows.order_by("user__username", "permission__codename")


def _verb(grant: Any) -> str:
    codename: str = grant.permission.codename
    return codename.rpartition("_")[0]
