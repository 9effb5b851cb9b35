"""The offices of Backup and Enterprise administrator: grant, revoke (P4)."""

from datetime import datetime

from accounts import selectors as people
from accounts.models import Role, RoleGrant, User
from accounts.services import membership, rostering
from approvals.errors import Invalid
from approvals.services import policies
from approvals.services.kinds import persons
from approvals.services.kinds.base import Begin, Draft, Origin, RequestKind, check_may_ask_security
from approvals.services.wishes import Wish
from approvals.statement import Statement
from encryption.crypto.secret import Secret


def _draft_grant(wish: Wish, origin: Origin) -> Draft:
    check_may_ask_security(origin.by)
    user, role = persons.account(wish.user), Role(wish.role)
    membership.check_grant_for(user, role)
    credentials = persons.credentials_of(user)
    held = _holds(user, role)
    if held and not (credentials and role == Role.ADMINISTRATOR):
        raise Invalid("This account holds that office already; without a new passkey nothing would change.")
    text = f"{user.person.name} becomes {role.label}."
    rows = [] if held else [persons.row("joins", text)]
    # Only a Backup administrator decides, and stands in the roster.
    proof = [persons.passkey_row(user, credentials)] if role == Role.ADMINISTRATOR else []
    return Draft(
        policy=policies.policy_for([]),
        targets=persons.targets_of(user),
        change={
            "credentials": credentials,
            "role": role.value,
            "subjects": persons.subjects(user),
            "user": str(user.pk),
        },
        consequences=[*rows, *proof],
    )


def _draft_revoke(wish: Wish, origin: Origin) -> Draft:
    check_may_ask_security(origin.by)
    user, role = persons.account(wish.user), Role(wish.role)
    if not _holds(user, role):
        raise Invalid("This account does not hold that office.")
    rows = [persons.row("leaves", f"{user.person.name} is {role.label} no more; their sessions end.")]
    others = people.administrators().exclude(pk=user.pk)
    if role == Role.ADMINISTRATOR and not others.exists():
        rows.append(
            persons.row("none_left", "Nobody is left who administers: people and accounts stand still.")
        )
    return Draft(
        policy=policies.policy_for([]),
        targets=persons.targets_of(user),
        change={"role": role.value, "subjects": persons.subjects(user), "user": str(user.pk)},
        consequences=rows,
    )


def _holds(user: User, role: Role) -> bool:
    return RoleGrant.live().filter(user=user, role=role).exists()


def _grant(said: Statement, digest: str, secret: Secret | None) -> Begin:
    signer, user = rostering.signer(), User.objects.get(pk=said.change["user"])

    def begin(until: datetime) -> None:
        membership.grant_within(
            user,
            Role(said.change["role"]),
            credentials=persons.admitted(said),
            request=said.request,
            signer=signer,
        )

    return begin


def _revoke(said: Statement, digest: str, secret: Secret | None) -> Begin:
    signer, user = rostering.signer(), User.objects.get(pk=said.change["user"])

    def begin(until: datetime) -> None:
        membership.revoke_within(user, Role(said.change["role"]), request=said.request, signer=signer)

    return begin


GRANT = RequestKind(_draft_grant, persons.policy, persons.compare, _grant)
REVOKE = RequestKind(_draft_revoke, persons.policy, persons.compare, _revoke)
