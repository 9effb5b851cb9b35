"""P3, P4, P6 and P14 as what must be so after every step: seats, offices, suspensions, rosters, rules."""

import json
from collections import Counter
from datetime import timedelta
from itertools import combinations
from uuid import UUID

from accounts.models import SecurityMember, Suspension
from approvals.models import ApprovalRequest
from tests.machine.census import said_by
from tests.machine.sight import Sight

TEAM = ("operator", "administrator", "enterprise", "service")
ADMINISTRATOR = "administrator"


def two_seats_stand(sight: Sight) -> None:
    """P3: never fewer than two persons with an active account."""
    live = {seat.user.person_id for seat in sight.seats if seat.until is None and seat.user.is_active}
    assert len(live) >= 2


def suspensions_are_short(sight: Sight) -> None:
    """P3: 72 hours unless a third confirms, over early only by two; one at a time, not twice in 30 days."""
    for row in sight.suspensions:
        voices = {(voice.seat_id, voice.says) for voice in sight.voices if voice.suspension_id == row.pk}
        confirming = {seat for seat, says in voices if says == "confirm"}
        lifting = {seat for seat, says in voices if says == "lift"}
        assert row.member_id != row.suspender_id
        assert row.member_id not in confirming | lifting
        if row.ends_at is None:
            assert confirming - {row.suspender_id}
        else:
            assert row.ends_at == row.began_at + timedelta(hours=72)
        early = row.ended_at is not None and (row.ends_at is None or row.ended_at < row.ends_at)
        assert not early or len(lifting) >= 2 or row.member.until is not None
    for one, other in combinations(sight.suspensions, 2):
        if one.suspender_id == other.suspender_id:
            assert one.member_id != other.member_id or abs(one.began_at - other.began_at) >= timedelta(
                days=30
            )
            assert not (holds(one, sight) and holds(other, sight))


def seats_show_their_suspensions(sight: Sight) -> None:
    """P3: who is suspended is seen to be so, and nobody else."""
    stopped = {row.member_id for row in sight.suspensions if holds(row, sight)}
    assert {seat.pk for seat in sight.seats if live(seat) and seat.is_suspended(sight.now)} == stopped


def holds(row: Suspension, sight: Sight) -> bool:
    runs = row.ended_at is None and (row.ends_at is None or row.ends_at > sight.now)
    return runs and row.member.until is None


def live(seat: SecurityMember) -> bool:
    return seat.until is None


def security_stands_outside(sight: Sight) -> None:
    """P4: no person sits in Security and works in the backup team."""
    seated = {seat.person_id for seat in sight.seats if live(seat)}
    held = [grant for grant in sight.grants if grant.until is None or grant.until > sight.now]
    assert not seated & {grant.user.person_id for grant in held if grant.role in TEAM}


def offices_are_decided(sight: Sight) -> None:
    """P4: every seat and office that came or went has its executed request, or was written past the rules."""
    decided = Counter(about for request in begun_about_people(sight) for about in changes(request))
    happened: Counter[tuple[str, UUID]] = Counter()
    for seat in sight.seats:
        happened["seated", seat.user_id] += seat.since > sight.world.began
        happened["unseated", seat.user_id] += seat.until is not None
    for grant in sight.grants:
        if grant.role == ADMINISTRATOR:
            happened["granted", grant.user_id] += grant.since > sight.world.began
            happened["revoked", grant.user_id] += grant.until is not None
    for (what, user), times in happened.items():
        assert user in sight.forged or times <= decided[what, user], f"{what} undecided"


def begun_about_people(sight: Sight) -> list[ApprovalRequest]:
    return sight.begun(
        "add_security_member",
        "remove_security_member",
        "replace_security_member",
        "grant_administrator",
        "revoke_administrator",
    )


def changes(request: ApprovalRequest) -> list[tuple[str, UUID]]:
    """What a request about people brings about, by its text."""
    change = said_by(request)["change"]
    user = UUID(change["user"])
    match request.kind:
        case "add_security_member":
            return [("seated", user)]
        case "remove_security_member":
            return [("unseated", user)]
        case "replace_security_member":
            return [("unseated", UUID(change["leaving"])), ("seated", user)]
        case "grant_administrator":
            return [("granted", user)]
    return [("revoked", user)]


def the_roster_is_who_decides(sight: Sight) -> None:
    """P4, P5: the roster in force names live seats and administrators; one follows each change of them."""
    newest = json.loads(bytes(sight.rosters[-1].body))
    seated = {(str(seat.user_id), seat.title) for seat in sight.seats if live(seat)}
    held = {str(row.user_id) for row in sight.grants if row.role == ADMINISTRATOR and row.until is None}
    forged = {str(user) for user in sight.forged}
    named = {(entry["user"], entry["title"]) for entry in newest["security"]}
    assert {user for user, _ in seated ^ named} <= forged
    assert held ^ {entry["user"] for entry in newest["administrators"]} <= forged
    signed_for = [json.loads(bytes(roster.body))["request"] for roster in sight.rosters]
    # One roster for each change of those who decide, the first one of bootstrap.
    assert sorted(map(str, signed_for[1:])) == sorted(str(row.pk) for row in begun_about_people(sight))


def rules_are_decided(sight: Sight) -> None:
    """P4, P6: each policy but the first has its executed request."""
    assert len(sight.policies) == 1 + len(sight.begun("change_policy"))


def members_are_told_of(sight: Sight) -> None:
    """P12: each suspension, voice, seat and rule is one entry."""
    told = Counter(event for event, _ in sight.told.elements())
    assert told["member.suspended"] == len(sight.suspensions)
    assert told["member.confirmed"] == sum(voice.says == "confirm" for voice in sight.voices)
    assert told["member.lifted"] == sum(voice.says == "lift" for voice in sight.voices)
    assert told["policy.changed"] == len(sight.policies) - 1
    assert told["roster.signed"] == len(sight.rosters) - 1


EVERY_STEP = (
    two_seats_stand,
    suspensions_are_short,
    seats_show_their_suspensions,
    security_stands_outside,
    offices_are_decided,
    the_roster_is_who_decides,
    rules_are_decided,
    members_are_told_of,
)
