"""What statements say of accounts and seats, and how the worker finds that it still holds."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785
from django.utils import timezone

from accounts import selectors as accounts
from accounts.models import Person, RoleGrant, SecurityMember, Title, User
from accounts.roster import Credential
from accounts.services import stepup
from approvals.errors import Invalid, NotFound, Stale
from approvals.models import Policy
from approvals.services import policies
from approvals.services.kinds.base import check_free
from approvals.statement import Statement, written

USER, MEMBER = "user", "member"


def account(pk: UUID | None) -> User:
    """Return one account, locked in the caller's transaction; NotFound when there is none."""
    rows = User.objects.select_for_update(of=("self",)).select_related("person")
    found = rows.filter(pk=pk).first() if pk else None
    if found is None:
        raise NotFound("There is no such account.")
    return found


def custodian(pk: UUID | None) -> Person:
    """Return who is behind an account that somebody uses; NotFound when there is none.

    Raises Invalid where another bears the same name: those who decide could not tell them apart.
    """
    people = User.objects.select_related("person").filter(is_active=True, is_human=True)
    found = people.filter(pk=pk).first() if pk else None
    if found is None:
        raise NotFound("There is no such person with an account.")
    name = found.person.name
    if not accounts.persons_named([name], before=timezone.now()):
        raise Invalid(f"More than one person here is called {name}: nobody could tell who is meant.")
    return found.person


def live_seat(pk: UUID | None) -> SecurityMember:
    """Return one live seat; NotFound when there is none."""
    seats = SecurityMember.objects.select_related("person", "user")
    found = seats.filter(pk=pk, until=None).first() if pk else None
    if found is None:
        raise NotFound("There is no such seat of Security.")
    return found


def targets_of(*things: User | SecurityMember) -> list[dict[str, Any]]:
    """Return the targets of a statement, once no open request touches any of them."""
    targets = [_of_user(thing) if isinstance(thing, User) else _of_seat(thing) for thing in things]
    check_free([(target["type"], UUID(target["id"])) for target in targets])
    return targets


def credentials_of(user: User) -> list[dict[str, str]]:
    """Return the passkeys with which an account is admitted, as a statement names them."""
    return [
        {"id": name, "public_key": stepup.public_key_text(row)}
        for name, row in sorted(stepup.passkeys(user).items())
    ]


def admitted(said: Statement) -> tuple[Credential, ...]:
    """Return the passkeys that a statement admits."""
    return tuple(Credential(row["id"], row["public_key"]) for row in said.change["credentials"])


def subjects(*users: User) -> list[str]:
    """Return whom a request is about: they do not decide on it (P1)."""
    return sorted({str(user.person_id) for user in users})


def row(what: str, text: str, **facts: int | str | None) -> dict[str, Any]:
    """Return one consequence."""
    return {"text": text, "what": what, **facts}


def passkey_row(user: User, credentials: list[dict[str, str]]) -> dict[str, Any]:
    """Say how well the decisions of whom a request admits will be proven."""
    name, count = user.person.name, len(credentials)
    if not count:
        text = f"{name} has no passkey: their decisions are recorded, not signed."
        return row("unsigned", text, passkeys=0)
    keys = "1 passkey" if count == 1 else f"{count} passkeys"
    return row("signed", f"{name} is admitted with {keys}: their decisions are signed.", passkeys=count)


def compare(said: Statement) -> None:
    """As the worker: raise Stale unless every account and seat is as the statement says."""
    for target in said.targets:
        ref = UUID(target["id"])
        if target["type"] == USER:
            user = User.objects.select_related("person").filter(pk=ref).first()
            found = _of_user(user) if user else None
        else:
            seat = SecurityMember.objects.select_related("person", "user").filter(pk=ref).first()
            found = _of_seat(seat) if seat else None
        if found is None or found["fingerprint"] != target["fingerprint"]:
            raise Stale(f"{target['name']} is not as it was when this was asked.")
    for user_id in [said.change["user"]] if "credentials" in said.change else []:
        known = credentials_of(User.objects.get(pk=user_id))
        if any(key not in known for key in said.change["credentials"]):
            raise Stale("A passkey that this would admit is not the account's any more.")


def policy(said: Statement, before: datetime) -> Policy:
    """Return the general policy: people are nobody's repository."""
    return policies.policy_for([], before=before)


def _of_user(user: User) -> dict[str, Any]:
    seat = SecurityMember.objects.filter(user=user, until=None).values_list("pk", flat=True).first()
    granted = RoleGrant.live().filter(user=user).values_list("role", flat=True)
    return {
        "fingerprint": _fingerprint(
            {
                "active": user.is_active,
                "human": user.is_human,
                "person": str(user.person_id),
                "roles": sorted(granted),
                "seat": str(seat) if seat else None,
                "superuser": user.is_superuser,
            }
        ),
        "id": str(user.pk),
        "name": f"{user.person.name} · {user.username}",
        "type": USER,
    }


def _of_seat(seat: SecurityMember) -> dict[str, Any]:
    return {
        "fingerprint": _fingerprint(
            {
                "person": str(seat.person_id),
                "since": written(seat.since),
                "title": seat.title,
                "until": written(seat.until) if seat.until else None,
                "user": str(seat.user_id),
            }
        ),
        "id": str(seat.pk),
        "name": f"{seat.person.name} · {Title(seat.title).label}",
        "type": MEMBER,
    }


def _fingerprint(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(rfc8785.dumps(dict(facts))).hexdigest()
