"""Who decides and who works."""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import rules, selectors
from accounts.models import Role, RoleGrant, User
from veeamsec.pages import seats
from veeamsec.pages.asking import may_ask_people
from veeamsec.pages.viewer import page_of, viewer_of

RULE = "Never fewer than two people. Whoever would leave fewer is refused, by the database too."
# As a request names an office.
OFFICES = {Role.ADMINISTRATOR: "backup", Role.ENTERPRISE: "enterprise"}


@dataclass(frozen=True, slots=True)
class Colleague:
    """One account outside Security; `revoke_url` where its office is taken by a request."""

    name: str
    roles: str
    active: bool
    revoke_url: str
    reset_url: str


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """The Security Role with its headroom, and everybody else for who may see them."""
    viewer = viewer_of(request)
    may_see = viewer.has_perm("accounts.view_person")
    page = page_of(request, _accounts()) if may_see else None
    context = {
        "lead": "Security decides, from outside the backup team. The backup team asks.",
        "headroom": seats.headroom(),
        "limits": seats.limits(),
        "rule": RULE,
        "seats": seats.all_seats(),
        "page": page,
        "people": _colleagues(page) if page is not None else [],
        "may_see_people": may_see,
        "may_open": viewer.has_perm("accounts.view_securitymember"),
        "may_ask": may_ask_people(viewer),
        "roster": selectors.newest_roster(),
        "roster_holds": seats.roster() is not None,
    }
    return render(request, "pages/people.html", context)


def _accounts() -> QuerySet[User]:
    granted = RoleGrant.live().values("user_id")
    return User.objects.filter(pk__in=granted).select_related("person").order_by("person__name", "username")


def _colleagues(page: Page[User]) -> list[Colleague]:
    granted: dict[UUID, list[Role]] = defaultdict(list)
    rows = RoleGrant.live().filter(user__in=[user.pk for user in page]).order_by("role")
    for user_id, role in rows.values_list("user", "role"):
        granted[user_id].append(Role(role))
    return [_colleague(user, granted[user.pk]) for user in page]


def _colleague(user: User, roles: list[Role]) -> Colleague:
    office = next((OFFICES[role] for role in roles if role in rules.DECIDED_ROLES), "")
    return Colleague(
        name=user.person.name,
        roles=f"{', '.join(role.label for role in roles)} · {user.username}",
        active=user.is_active,
        revoke_url=f"{reverse('ask_revoke')}?user={user.pk}&role={office}" if office else "",
        reset_url=f"{reverse('ask_reset')}?user={user.pk}" if user.is_human else "",
    )
