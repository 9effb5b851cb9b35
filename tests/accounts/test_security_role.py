"""P4: the Security Role begins once, with two different people who enrol themselves."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts import selectors
from accounts.errors import AlreadySealed, Invalid, LinkInvalid, RosterInvalid
from accounts.models import EnrolmentLink, Roster, SecurityMember, User
from accounts.services import security_role
from accounts.services.security_role import Link, Named
from audit.models import Entry, Outbox
from tests.accounts.factories import PASSWORD, add_totp
from tests.accounts.soft_passkey import SoftPasskey

pytestmark = pytest.mark.django_db
NAMES = {
    "dpo": Named("Dora Marchetti", "dora@example.com"),
    "ciso": Named("Carl Weiss", "carl@example.com"),
    "administrator": Named("Anna Ruiz", "anna@example.com"),
}


def token(link: Link) -> str:
    """The secret part of a link."""
    return link.url.rstrip("/").rpartition("/")[2]


def enrolled(count: int = 2, *, factor: bool = True) -> list[User]:
    """Bootstrap, and let the first people use their links."""
    people = []
    for link in security_role.bootstrap(**NAMES)[:count]:
        people.append(security_role.enrol(token(link), password=PASSWORD))
        if factor:
            add_totp(people[-1])
    return people


def test_bootstrap_makes_three_links() -> None:
    links = security_role.bootstrap(**NAMES)
    assert [(link.name, link.office) for link in links] == [
        ("Dora Marchetti", "DPO"),
        ("Carl Weiss", "CISO"),
        ("Anna Ruiz", "Backup administrator"),
    ]


def test_the_database_does_not_hold_a_token() -> None:
    """P9: only its hash."""
    links = security_role.bootstrap(**NAMES)
    assert selectors.token_digest(token(links[0])) in {
        bytes(row.token_hash) for row in EnrolmentLink.objects.all()
    }


def test_bootstrap_seats_nobody_yet() -> None:
    security_role.bootstrap(**NAMES)
    assert not SecurityMember.objects.exists()


def test_bootstrap_twice_is_refused() -> None:
    security_role.bootstrap(**NAMES)
    with pytest.raises(AlreadySealed):
        security_role.bootstrap(**NAMES)


@pytest.mark.parametrize(
    "same",
    [
        {"ciso": Named("Dora  marchetti", "other@example.com")},
        {"ciso": Named("Somebody", "DORA@example.com")},
        {"administrator": Named("Dora Marchetti", "x@example.com")},
        {"administrator": Named("X", "carl@example.com")},
    ],
)
def test_one_person_in_two_offices_is_refused(same: dict[str, Named]) -> None:
    """P1, P4: three different persons."""
    with pytest.raises(Invalid):
        security_role.bootstrap(**(NAMES | same))


def test_a_refused_bootstrap_leaves_nothing() -> None:
    with pytest.raises(Invalid):
        security_role.bootstrap(**(NAMES | {"ciso": Named("Carl", "no address")}))
    assert not User.objects.exists()


def test_before_bootstrap_it_is_said() -> None:
    before = selectors.is_bootstrapped()
    security_role.bootstrap(**NAMES)
    assert (before, selectors.is_bootstrapped()) == (False, True)


def test_enrolling_sets_the_persons_own_password() -> None:
    dora, *_ = enrolled(1)
    assert User.objects.get(pk=dora.pk).check_password(PASSWORD)


def test_enrolling_takes_another_name() -> None:
    link = security_role.bootstrap(**NAMES)[0]
    assert security_role.enrol(token(link), password=PASSWORD, username="dm").username == "dm"


def test_a_name_that_is_taken_is_refused() -> None:
    links = security_role.bootstrap(**NAMES)
    with pytest.raises(Invalid, match="taken"):
        security_role.enrol(token(links[0]), password=PASSWORD, username="CARL")


@pytest.mark.parametrize("password", ["short", "password1234", "x" * 2000, "dora@example.com"])
def test_a_weak_password_is_refused_and_keeps_the_link(password: str) -> None:
    link = security_role.bootstrap(**NAMES)[0]
    with pytest.raises(Invalid):
        security_role.enrol(token(link), password=password)
    assert selectors.enrolment(token(link))


def test_a_link_works_once() -> None:
    link = security_role.bootstrap(**NAMES)[0]
    security_role.enrol(token(link), password=PASSWORD)
    with pytest.raises(LinkInvalid):
        security_role.enrol(token(link), password=PASSWORD + "2")


def test_a_link_ends_after_a_day() -> None:
    link = security_role.bootstrap(**NAMES)[0]
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1)), pytest.raises(LinkInvalid):
        security_role.enrol(token(link), password=PASSWORD)


@pytest.mark.parametrize("given", ["", "x", "\x00", "a" * 5000])
def test_an_invented_link_is_refused(given: str) -> None:
    security_role.bootstrap(**NAMES)
    with pytest.raises(LinkInvalid):
        security_role.enrol(given, password=PASSWORD)


def test_a_renewed_link_ends_the_old_one() -> None:
    old = security_role.bootstrap(**NAMES)[0]
    new = security_role.renew_links()
    assert selectors.enrolment(token(old)) is None
    assert len(new) == 3


def test_a_used_link_is_not_renewed() -> None:
    """P14: whoever has a password is not helped by another link."""
    enrolled(1)
    assert {link.name for link in security_role.renew_links()} == {"Anna Ruiz", "Carl Weiss"}


@pytest.mark.parametrize(("count", "factor"), [(1, True), (2, False)])
def test_the_role_is_not_sealed_too_early(vsec_home: Any, count: int, factor: bool) -> None:
    """P4: both founders, each with password and factor."""
    enrolled(count, factor=factor)
    assert security_role.sign_roster() is None
    assert selectors.sealed_at() is None


def test_the_worker_seals_when_both_are_enrolled(vsec_home: Any) -> None:
    enrolled()
    security_role.sign_roster()
    assert {seat.title for seat in selectors.security_members()} == {"dpo", "ciso"}
    assert selectors.sealed_at()


def test_the_roster_is_signed_and_names_the_people(vsec_home: Any) -> None:
    dora, carl = enrolled()
    anna = User.objects.get(person__name="Anna Ruiz")
    security_role.sign_roster()
    body = security_role.roster_in_force()
    assert {entry.user for entry in body.security} == {dora.pk, carl.pk}
    assert [entry.user for entry in body.administrators] == [anna.pk]


def test_the_roster_holds_the_founders_passkeys(vsec_home: Any) -> None:
    dora, _ = enrolled()
    passkey = SoftPasskey()
    passkey.add_to(dora)
    security_role.sign_roster()
    entry = security_role.roster_in_force().entry(dora.pk)
    assert entry is not None
    assert entry.credential(passkey.sign("AAAA")["id"]) is not None


def test_sealing_is_in_the_log(vsec_home: Any) -> None:
    """P12: the transition and its entry are one."""
    enrolled()
    security_role.sign_roster()
    assert {"roster.signed", "security_role.sealed"} <= set(Entry.objects.values_list("event", flat=True))


def test_sealing_again_changes_nothing(vsec_home: Any) -> None:
    enrolled()
    security_role.sign_roster()
    assert security_role.sign_roster() is None
    assert Roster.objects.count() == 1


def test_a_roster_that_somebody_else_made_stops_the_seal(vsec_home: Any) -> None:
    """P4: the worker signs no second first roster."""
    enrolled()
    Roster.objects.create(number=1, body=b"{}", envelope={})
    with pytest.raises(RosterInvalid):
        security_role.sign_roster()


def test_a_forged_roster_is_not_in_force(vsec_home: Any) -> None:
    Roster.objects.create(number=1, body=b"{}", envelope={"payload": "e30=", "signatures": []})
    with pytest.raises(RosterInvalid):
        security_role.roster_in_force()


def test_a_roster_whose_body_was_swapped_is_not_in_force(vsec_home: Any) -> None:
    enrolled()
    made = security_role.sign_roster()
    assert made is not None
    envelope = made.envelope
    Roster.objects.create(number=2, body=made.body, envelope=envelope)
    with pytest.raises(RosterInvalid, match="not the signed one"):
        security_role.roster_in_force()


def test_no_roster_is_none_in_force(vsec_home: Any) -> None:
    """P6: an empty list is a no."""
    with pytest.raises(RosterInvalid):
        security_role.roster_in_force()


def test_enrolling_after_the_factors_rings_the_worker() -> None:
    enrolled()
    Outbox.objects.all().delete()
    link = security_role.renew_links()[0]
    security_role.enrol(token(link), password=PASSWORD)
    assert Outbox.objects.filter(name="accounts.sign_roster").exists()


def test_bootstrap_after_the_seal_is_refused(vsec_home: Any) -> None:
    enrolled()
    security_role.sign_roster()
    with pytest.raises(AlreadySealed):
        security_role.bootstrap(**NAMES)


def test_after_the_seal_only_a_waiting_administrator_gets_a_link(vsec_home: Any) -> None:
    """P4: founders are not named again, and the administrator's day may have passed."""
    enrolled()
    security_role.sign_roster()
    assert [link.name for link in security_role.renew_links()] == ["Anna Ruiz"]
