"""Resetting somebody's credentials: the one way to a password and factors but their own (P14)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import User
from accounts.services import membership, notices, rostering
from approvals.errors import Invalid, Stale
from approvals.services import policies
from approvals.services.kinds import persons
from approvals.services.kinds.base import Begin, Draft, Origin, RequestKind, check_may_ask_security
from approvals.services.wishes import Wish
from approvals.statement import Statement
from encryption.crypto.secret import Secret


def _draft(wish: Wish, origin: Origin) -> Draft:
    check_may_ask_security(origin.by)
    user = persons.account(wish.user)
    if not user.is_human:
        raise Invalid("A service account has no credentials but its tokens.")
    if not notices.address_of(user):
        raise Invalid("This account has no e-mail address: nobody could be sent the link to a new password.")
    name = user.person.name
    text = f"The passkeys of {name} leave the roster; a new one is admitted by another request."
    rows = [_where(user), persons.row("unsigned", text)]
    if not user.is_active:
        rows.append(persons.row("reactivated", f"The account {user.username} is switched on again."))
    return Draft(
        policy=policies.policy_for([]),
        targets=persons.targets_of(user),
        change={"subjects": persons.subjects(user), "user": str(user.pk)},
        consequences=rows,
    )


def _where(user: User) -> dict[str, Any]:
    """Return what is decided of the address: whoever is sent the link becomes this person here."""
    return persons.row(
        "reset",
        f"Password, second factors, tokens and sessions of {user.person.name} ({user.username}) end. A link"
        f" to set a new password goes to {notices.address_of(user)}, to nobody else: ask them whether it is"
        " theirs.",
    )


def _approved_address(said: Statement, user: User) -> str:
    if _where(user) not in said.consequences:
        raise Stale("The address that the link would go to is not the one that was approved.")
    return notices.address_of(user)


def _compare(said: Statement) -> None:
    persons.compare(said)
    _approved_address(said, User.objects.select_related("person").get(pk=said.change["user"]))


def _reset(said: Statement, digest: str, secret: Secret | None) -> Begin:
    signer = rostering.signer()

    def begin(until: datetime) -> None:
        user = persons.account(UUID(said.change["user"]))
        address = _approved_address(said, user)
        membership.reset_within(user, address=address, request=said.request, signer=signer)

    return begin


RESET = RequestKind(_draft, persons.policy, _compare, _reset)
