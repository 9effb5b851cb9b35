"""The console's people: a Backup administrator makes persons, operators, auditors and service accounts.

What would let one person act as another is shown and not edited (P14): passwords, factors, the person of an
account, staff and superuser, groups and permissions. Roles, seats and rosters are history.
"""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from accounts.errors import Invalid
from accounts.forms import NewAccountForm
from accounts.models import Person, Role, RoleGrant, Roster, SecurityMember, User
from accounts.services import users
from audit import services as audit
from audit.errors import Refused
from audit.events import Event


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


@admin.register(RoleGrant)
class RoleGrantAdmin(ReadOnly):
    """Who held which role, and when."""

    list_display = ("user", "role", "since", "until")
    list_filter = ("role",)


@admin.register(SecurityMember)
class SecurityMemberAdmin(ReadOnly):
    """The seats of the Security Role."""

    list_display = ("person", "title", "since", "until", "suspended_at")


@admin.register(Roster)
class RosterAdmin(ReadOnly):
    """The signed rosters."""

    list_display = ("number", "created_at")
    fields = ("number", "created_at", "envelope")
    readonly_fields = fields


@admin.register(Person)
class PersonAdmin(admin.ModelAdmin[Person]):
    """Persons; the name and address of somebody in Security or administration is theirs alone."""

    list_display = ("name", "email", "created_at")
    search_fields = ("name", "email")
    fields = ("name", "email")

    def has_delete_permission(self, request: HttpRequest, obj: Person | None = None) -> bool:
        """History stays."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Person | None = None) -> bool:
        """Not of guarded persons."""
        return super().has_change_permission(request, obj) and not (obj and users.is_guarded(obj.pk))

    def save_model(self, request: HttpRequest, obj: Person, form: ModelForm[Person], change: bool) -> None:
        """Save with the entry, in the console's transaction."""
        super().save_model(request, obj, form, change)
        event = Event.PERSON_CHANGED if change else Event.PERSON_CREATED
        facts = {"changed": sorted(form.changed_data)} if change else {}
        audit.record(event, subject=obj, facts=facts, names={str(obj.pk): obj.name}, by=_actor(request))


@admin.register(User)
class UserAdmin(admin.ModelAdmin[User]):
    """Accounts: made with a role and a one-time link, switched off and on, never edited."""

    list_display = ("username", "person", "is_active", "is_human", "last_login")
    list_filter = ("is_active", "is_human")
    search_fields = ("username", "person__name")
    add_fields = ("person", "username", "email", "role")
    fields = ("username", "person", "email", "is_active", "is_human", "last_login", "date_joined")
    readonly_fields = fields
    actions = ("switch_off", "switch_on", "make_link")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Narrow by what is shown for it alone: a filter by the hash would give it away sign by sign."""
        return lookup.partition("__")[0] in self.list_filter

    def get_form(
        self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Give the form of a new account; an old one has no field to edit."""
        return NewAccountForm if obj is None else super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Return what is shown."""
        return self.add_fields if obj is None else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Return what is not edited: everything, once the account is there."""
        return () if obj is None else self.fields

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """History stays: accounts are switched off."""
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """Make an account by its use case, outside the console's transaction."""
        if request.method != "POST" or not self.has_add_permission(request):
            return super().add_view(request, form_url, extra_context)
        form = NewAccountForm(request.POST)
        if not form.is_valid():
            return super().add_view(request, form_url, extra_context)
        try:
            made, link = users.create_user(
                person=form.cleaned_data["person"].pk,
                username=form.cleaned_data["username"],
                email=form.cleaned_data["email"],
                role=Role(form.cleaned_data["role"]),
                by=_actor(request),
            )
        except Refused as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(request.get_full_path())
        self._show_link(request, made, link)
        return HttpResponseRedirect(reverse("admin:accounts_user_changelist"))

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Switch accounts off."""
        self._each(request, queryset, active=False)

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Switch accounts on."""
        self._each(request, queryset, active=True)

    @admin.action(description="Make a new first link", permissions=["change"])
    def make_link(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Make links for accounts that never had a password."""
        for user in queryset:
            try:
                self._show_link(request, user, users.new_link(user.pk, by=_actor(request)))
            except Refused as refused:
                messages.error(request, f"{user}: {refused}")

    def _each(self, request: HttpRequest, queryset: QuerySet[User], *, active: bool) -> None:
        for pk in list(queryset.values_list("pk", flat=True)):
            try:
                user = users.set_active(UUID(str(pk)), active=active, by=_actor(request))
                messages.success(request, f"{user} is {'on' if active else 'off'}.")
            except Refused as refused:
                messages.error(request, str(refused))

    def _show_link(self, request: HttpRequest, user: User, link: str | None) -> None:
        if link is None:
            messages.success(request, f"{user} is made. Make a token for it with `manage.py create_token`.")
        else:
            messages.warning(request, f"Give this link to {user.person}: it works once, for 24 hours: {link}")


def _actor(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Invalid("Nobody is signed in.")
    return request.user
