"""One's own bearer tokens: listed, made at a browser, revoked; a token never makes another one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from accounts.errors import InteractiveRequired, NotFound
from accounts.models import ApiToken, User
from accounts.services import users
from audit import services as audit
from audit.events import Event


@dataclass(frozen=True, slots=True)
class OwnToken:
    """One token, by a name of its own: never its digest, never its signs."""

    reference: UUID
    name: str
    scopes: tuple[str, ...]
    created: datetime
    expiry: datetime | None
    last_used_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Say whether it has run out."""
        return self.expiry is None or self.expiry <= timezone.now()


def rows_of(user: User) -> QuerySet[ApiToken]:
    """Return the rows of an account's tokens, the newest first; `shown` makes lines of them."""
    return ApiToken.objects.filter(user=user).order_by("-created")


def shown(rows: Iterable[ApiToken]) -> list[OwnToken]:
    """Return what of some tokens is shown to their account."""
    return [
        OwnToken(row.reference, row.name, tuple(row.scopes), row.created, row.expiry, row.last_used_at)
        for row in rows
    ]


def own(user: User) -> list[OwnToken]:
    """Return the tokens of an account, the newest first."""
    return shown(rows_of(user))


def create_own(
    *, by: User, name: str, days: int, scopes: list[str], interactive: bool
) -> tuple[OwnToken, str]:
    """Make a token for one's own account and return it with its text, shown once.

    InteractiveRequired for who came by a token; Invalid for a name, an end or a scope that is none.
    """
    if not interactive or not by.is_human:
        with audit.attempt(by=by, subject=by.pk):
            raise InteractiveRequired("A token is made by a person at a browser.")
    text = users.create_token(user=by, name=name, days=days, scopes=scopes, by=by)
    return own(by)[0], text


def revoke(reference: UUID, *, by: User) -> None:
    """End one of one's own tokens at once; NotFound for anybody else's."""
    with audit.act(by=by, subject=by.pk):
        gone, _ = ApiToken.objects.filter(user=by, reference=reference).delete()
        if not gone:
            raise NotFound("There is no such token of yours.")
        audit.record(Event.TOKEN_REVOKED, subject=by, facts={"token": reference})
