"""Resetting somebody's credentials: the one way to a password and factors but their own (P14)."""

from datetime import datetime

from accounts.models import User
from accounts.services import membership, rostering
from approvals.errors import Invalid
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
    name = user.person.name
    rows = [
        persons.row(
            "reset",
            f"Password, second factors, tokens and sessions of {name} ({user.username}) end. A link to set a"
            " new password goes to their own address, to nobody else.",
        ),
        persons.row(
            "unsigned", f"The passkeys of {name} leave the roster; a new one is admitted by another request."
        ),
    ]
    if not user.is_active:
        rows.append(persons.row("reactivated", f"The account {user.username} is switched on again."))
    return Draft(
        policy=policies.policy_for([]),
        targets=persons.targets_of(user),
        change={"subjects": persons.subjects(user), "user": str(user.pk)},
        consequences=rows,
    )


def _reset(said: Statement, digest: str, secret: Secret | None) -> Begin:
    signer = rostering.signer()

    def begin(until: datetime) -> None:
        user = User.objects.select_for_update(of=("self",)).get(pk=said.change["user"])
        membership.reset_within(user, request=said.request, signer=signer)

    return begin


RESET = RequestKind(_draft, persons.policy, persons.compare, _reset)
