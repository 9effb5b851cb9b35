"""Seats of the Security Role: add, remove, replace (P3, P4)."""

from datetime import datetime
from uuid import UUID

from accounts import selectors as people
from accounts.models import SecurityMember, Title, User
from accounts.services import membership, rostering
from approvals.errors import Invalid, SecurityRoleTooSmall
from approvals.services import policies
from approvals.services.kinds import persons
from approvals.services.kinds.base import Begin, Draft, Origin, RequestKind, check_may_ask_security
from approvals.services.wishes import Wish
from approvals.statement import Statement
from encryption.crypto.secret import Secret


def _draft_add(wish: Wish, origin: Origin) -> Draft:
    check_may_ask_security(origin.by)
    user = persons.account(wish.user)
    membership.check_seat_for(user)
    credentials = persons.credentials_of(user)
    return Draft(
        policy=policies.policy_for([]),
        targets=persons.targets_of(user),
        change={
            "credentials": credentials,
            "subjects": persons.subjects(user),
            "title": wish.title,
            "user": str(user.pk),
        },
        consequences=[_joins(user, wish.title), persons.passkey_row(user, credentials), *_sizes(joins=1)],
    )


def _draft_remove(wish: Wish, origin: Origin) -> Draft:
    check_may_ask_security(origin.by)
    seat = persons.live_seat(wish.member)
    if people.security_members(active=False).count() <= people.SEATS:
        raise SecurityRoleTooSmall("The Security Role would have fewer than two seats; replace the member.")
    policies.check_met(_titles(without=seat))
    return Draft(
        policy=policies.policy_for([]),
        targets=persons.targets_of(seat, seat.user),
        change={
            "member": str(seat.pk),
            "subjects": persons.subjects(seat.user),
            "user": str(seat.user_id),
        },
        consequences=[_leaves(seat), *_sizes(joins=-1)],
    )


def _draft_replace(wish: Wish, origin: Origin) -> Draft:
    check_may_ask_security(origin.by)
    seat, user = persons.live_seat(wish.member), persons.account(wish.user)
    membership.check_seat_for(user, leaving=seat)
    credentials = persons.credentials_of(user)
    same = user.pk == seat.user_id
    if same and (wish.title != seat.title or not credentials):
        raise Invalid("The same account is admitted anew under its title, with at least one passkey.")
    policies.check_met([*_titles(without=seat), wish.title])
    return Draft(
        policy=policies.policy_for([]),
        targets=persons.targets_of(seat, *{seat.user_id: seat.user, user.pk: user}.values()),
        change={
            "credentials": credentials,
            "leaving": str(seat.user_id),
            "member": str(seat.pk),
            "subjects": persons.subjects(seat.user, user),
            "title": wish.title,
            "user": str(user.pk),
        },
        consequences=[
            *([] if same else [_leaves(seat), _joins(user, wish.title)]),
            persons.passkey_row(user, credentials),
        ],
    )


def _add(said: Statement, digest: str, secret: Secret | None) -> Begin:
    signer, user = rostering.signer(), User.objects.get(pk=said.change["user"])

    def begin(until: datetime) -> None:
        membership.seat_within(
            user,
            said.change["title"],
            credentials=persons.admitted(said),
            request=said.request,
            signer=signer,
        )

    return begin


def _remove(said: Statement, digest: str, secret: Secret | None) -> Begin:
    signer = rostering.signer()

    def begin(until: datetime) -> None:
        membership.unseat_within(UUID(said.change["member"]), request=said.request, signer=signer)
        policies.check_met(_titles())

    return begin


def _replace(said: Statement, digest: str, secret: Secret | None) -> Begin:
    signer, user = rostering.signer(), User.objects.get(pk=said.change["user"])

    def begin(until: datetime) -> None:
        membership.replace_within(
            UUID(said.change["member"]),
            user,
            said.change["title"],
            credentials=persons.admitted(said),
            request=said.request,
            signer=signer,
        )
        policies.check_met(_titles())

    return begin


def _titles(*, without: SecurityMember | None = None) -> list[str]:
    """Return the offices of the active seats."""
    seats = people.security_members()
    return [seat.title for seat in seats if without is None or seat.pk != without.pk]


def _joins(user: User, title: str) -> dict[str, object]:
    office = Title(title).label
    text = f"{user.person.name} sits in Security ({office}) and decides on what is asked from then on."
    return persons.row("joins", text)


def _leaves(seat: SecurityMember) -> dict[str, object]:
    text = (
        f"{seat.person.name} ({Title(seat.title).label}) leaves Security; their sessions end, and what they"
        " approved and is not executed yet does not count any more."
    )
    return persons.row("leaves", text)


def _sizes(*, joins: int) -> list[dict[str, object]]:
    active = people.active_seats() + joins
    spare = active - people.SEATS
    text = f"{active} active members, " + (f"{spare} more than needed." if spare > 0 else "none to spare.")
    return [persons.row("seats", text, seats=active)]


ADD = RequestKind(_draft_add, persons.policy, persons.compare, _add)
REMOVE = RequestKind(_draft_remove, persons.policy, persons.compare, _remove)
REPLACE = RequestKind(_draft_replace, persons.policy, persons.compare, _replace)
