"""Asking for a change of people: who joins or leaves Security, who administers, whose credentials end."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet

from accounts import rules, selectors
from accounts.models import RoleGrant, SecurityMember, Title, User
from veeamsec.pages.forms.ask import AskForm

OFFICES = [("backup", "Backup administrator"), ("enterprise", "Enterprise administrator")]


class _Choice(forms.TypedChoiceField):
    """One account or seat."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(label=label, coerce=UUID, **kwargs)


def _title() -> forms.ChoiceField:
    return forms.ChoiceField(label="Title", widget=forms.RadioSelect, choices=Title.choices)


def _role() -> forms.ChoiceField:
    return forms.ChoiceField(label="Office", widget=forms.RadioSelect, choices=OFFICES, initial="backup")


class PeopleForm(AskForm):
    """Whom it is about, what they become, and why."""

    names: tuple[str, ...] = ()

    def wish(self) -> dict[str, Any]:
        """What the service is asked."""
        return super().wish() | {name: self.cleaned_data[name] for name in self.names}

    def offer(self, name: str, rows: Iterable[tuple[UUID, str]]) -> None:
        """Fill one choice."""
        self.fields[name].choices = [("", "choose"), *rows]  # type: ignore[attr-defined]


class AddMemberForm(PeopleForm):
    """A further seat."""

    names = ("user", "title")
    sections = (("Who", "", ("user", "title")), ("Why", "", ("reason",)))
    user = _Choice(
        "Account", help_text="Of somebody outside the backup team. Their passkeys enter the roster with them."
    )
    title = _title()

    def choose(self, viewer: User) -> None:
        """Offer who may sit in Security."""
        self.offer("user", _named(_outside()))


class RemoveMemberForm(PeopleForm):
    """A seat that ends."""

    names = ("member",)
    sections = (("Whose seat", "", ("member",)), ("Why", "", ("reason",)))
    member = _Choice("Seat")

    def choose(self, viewer: User) -> None:
        """Offer the seats."""
        self.offer("member", _seats())


class ReplaceMemberForm(PeopleForm):
    """One goes, another comes, at once."""

    names = ("member", "user", "title")
    sections = (("Who goes", "", ("member",)), ("Who comes", "", ("user", "title")), ("Why", "", ("reason",)))
    member = _Choice("Seat")
    user = _Choice(
        "Account",
        help_text="Of somebody outside the backup team; or the same account, to admit its passkeys anew.",
    )
    title = _title()

    def choose(self, viewer: User) -> None:
        """Offer the seats, and who may take one."""
        self.offer("member", _seats())
        seated = [seat.user for seat in selectors.security_members(active=False)]
        self.offer("user", [*_named(_outside()), *_named(seated)])


class GrantForm(PeopleForm):
    """An administrator's office for somebody."""

    names = ("user", "role")
    sections = (("Who", "", ("user", "role")), ("Why", "", ("reason",)))
    user = _Choice("Account")
    role = _role()

    def choose(self, viewer: User) -> None:
        """Offer the accounts outside Security."""
        seated = SecurityMember.objects.filter(until=None).values("person_id")
        self.offer("user", _named(_humans().exclude(person_id__in=seated)))


class RevokeForm(PeopleForm):
    """An administrator's office taken away."""

    names = ("user", "role")
    sections = (("Who", "", ("user", "role")), ("Why", "", ("reason",)))
    user = _Choice("Account")
    role = _role()

    def choose(self, viewer: User) -> None:
        """Offer who holds one."""
        held = RoleGrant.live().filter(role__in=rules.DECIDED_ROLES).values("user_id")
        self.offer("user", _named(User.objects.select_related("person").filter(pk__in=held)))


class ResetForm(PeopleForm):
    """A password and factors that are lost, or no longer one's own."""

    names = ("user",)
    sections = (("Whose", "", ("user",)), ("Why", "", ("reason",)))
    user = _Choice("Account")

    def choose(self, viewer: User) -> None:
        """Offer every person's account, switched off ones too."""
        humans = User.objects.select_related("person").filter(is_human=True, is_superuser=False)
        self.offer("user", _named(humans.order_by("person__name", "username")))


def _humans() -> QuerySet[User]:
    found = User.objects.select_related("person").filter(is_human=True, is_superuser=False, is_active=True)
    return found.order_by("person__name", "username")


def _outside() -> QuerySet[User]:
    seated = SecurityMember.objects.filter(until=None).values("person_id")
    team = RoleGrant.live().filter(role__in=rules.EXCLUDED_BY_SECURITY).values("user__person_id")
    return _humans().exclude(person_id__in=seated).exclude(person_id__in=team)


def _named(users: Iterable[User]) -> list[tuple[UUID, str]]:
    return [(user.pk, f"{user.person.name} · {user.username}") for user in users]


def _seats() -> list[tuple[UUID, str]]:
    seats = selectors.security_members(active=False)
    return [(seat.pk, f"{seat.person.name} · {Title(seat.title).label}") for seat in seats]
