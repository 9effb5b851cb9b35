"""P1, P3, P4: seats of Security change by a request that Security alone decides."""

import pytest
from django.utils import timezone

from accounts.models import Role, Roster, SecurityMember, User
from accounts.services.security_role import roster_in_force
from approvals.errors import (
    Invalid,
    NotEligible,
    NotFound,
    OpenRequestExists,
    OwnRequest,
    SecurityRoleTooSmall,
)
from approvals.models import ApprovalRequest, State
from approvals.services import execution, notify
from audit.models import Entry
from tests.accounts import factories
from tests.accounts.soft_passkey import SoftPasskey
from tests.approvals.conftest import approve, new_policy, reject, work
from tests.approvals.governing import asked, candidate, seat

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _signed(roster: None) -> None:
    """Every test here has the signed roster."""


def test_p4_a_member_is_added_by_a_request(people):
    """P4: and stands in the next roster, with the passkeys that the statement names."""
    nora, key = candidate(), SoftPasskey()
    key.add_to(nora)
    request = work(
        approve(people.dpo, asked("add_security_member", people.administrator, user=nora.pk, title="dpo"))
    )
    assert request.state == State.EXECUTED, request.outcome
    assert seat(nora).title == "dpo"
    body = roster_in_force()
    assert (body.number, body.request) == (2, request.pk)
    assert [len(body.entry(nora.pk).credentials), body.entry(nora.pk).title] == [1, "dpo"]
    assert Entry.objects.filter(event="member.added").count() == 1


def test_p4_a_member_asks_and_another_decides(people):
    """P4"""
    nora = candidate()
    request = asked("add_security_member", people.dpo, user=nora.pk, title="other")
    with pytest.raises(OwnRequest):
        approve(people.dpo, request)
    assert work(approve(people.ciso, request)).state == State.EXECUTED


@pytest.mark.parametrize("name", ["operator", "auditor", "superuser", "nobody", "service"])
def test_p4_others_do_not_ask(people, name):
    """P4"""
    nora = candidate()
    with pytest.raises(NotEligible):
        asked("add_security_member", getattr(people, name), user=nora.pk, title="other")
    assert not ApprovalRequest.objects.exists()


def test_p4_an_administrator_does_not_decide(people):
    """P4: Security alone does, though the policy lets administrators approve passwords."""
    nora = candidate()
    request = asked("add_security_member", people.dpo, user=nora.pk, title="other")
    with pytest.raises(NotEligible, match="Security alone"):
        approve(people.administrator, request)


def test_p1_the_subject_does_not_decide(people):
    """P1"""
    request = asked("remove_security_member", people.administrator, member=seat(people.ciso).pk)
    with pytest.raises(OwnRequest):
        approve(people.ciso, request)
    with pytest.raises(OwnRequest):
        reject(people.ciso, request)


def test_p4_a_removed_member_has_no_seat_no_session_and_no_place_in_the_roster(people, client):
    """P4"""
    client.force_login(people.third)
    assert client.get("/account/").status_code == 200
    request = asked("remove_security_member", people.dpo, member=seat(people.third).pk)
    assert work(approve(people.ciso, request)).state == State.EXECUTED
    assert not people.third.is_security
    assert roster_in_force().entry(people.third.pk) is None
    assert client.get("/account/").status_code == 302


def test_p3_no_removal_leaves_one(people):
    """P3"""
    work(approve(people.ciso, asked("remove_security_member", people.dpo, member=seat(people.third).pk)))
    with pytest.raises(SecurityRoleTooSmall):
        asked("remove_security_member", people.administrator, member=seat(people.ciso).pk)


def test_p3_two_legal_removals_do_not_both_pass(people):
    """P3: each is legal when asked; the second is refused when executed."""
    first = approve(
        people.dpo, asked("remove_security_member", people.administrator, member=seat(people.ciso).pk)
    )
    second = approve(
        people.dpo, asked("remove_security_member", people.administrator, member=seat(people.third).pk)
    )
    assert work(first).state == State.EXECUTED
    assert work(second).state == State.STALE
    assert SecurityMember.objects.filter(until=None).count() == 2


def test_p4_with_two_members_an_administrator_asks_to_replace_one_and_the_other_decides(people):
    """P4"""
    work(approve(people.ciso, asked("remove_security_member", people.dpo, member=seat(people.third).pk)))
    nora = candidate()
    request = asked(
        "replace_security_member",
        people.administrator,
        member=seat(people.ciso).pk,
        user=nora.pk,
        title="ciso",
    )
    for user in (people.ciso, people.administrator):
        with pytest.raises(OwnRequest):
            approve(user, request)
    assert work(approve(people.dpo, request)).state == State.EXECUTED
    seats = set(SecurityMember.objects.filter(until=None).values_list("user__username", flat=True))
    assert seats == {"dora", "nora"}
    body = roster_in_force()
    assert {entry.user for entry in body.security} == {people.dpo.pk, nora.pk}


def test_p4_a_member_is_admitted_anew_with_a_first_passkey(people):
    """P4: whoever has none in the roster cannot sign one in."""
    key = SoftPasskey()
    key.add_to(people.dpo)
    fields = {"member": seat(people.dpo).pk, "user": people.dpo.pk, "title": "dpo"}
    request = work(approve(people.ciso, asked("replace_security_member", people.administrator, **fields)))
    assert request.state == State.EXECUTED, request.outcome
    assert len(roster_in_force().entry(people.dpo.pk).credentials) == 1
    assert SecurityMember.objects.filter(user=people.dpo).count() == 1


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ADMINISTRATOR, Role.ENTERPRISE, Role.SERVICE])
def test_p4_security_excludes_every_role_of_the_backup_team(people, role):
    """P4: on whichever account of the person, when asked."""
    nora = candidate()
    factories.make_user("nora2", role=role, person=nora.person)
    with pytest.raises(NotEligible, match="backup team"):
        asked("add_security_member", people.dpo, user=nora.pk, title="other")


def test_p4_and_when_executed(people):
    """P4"""
    nora = candidate()
    request = approve(people.ciso, asked("add_security_member", people.dpo, user=nora.pk, title="other"))
    factories.make_user("nora2", role=Role.OPERATOR, person=nora.person)
    assert work(request).state == State.STALE
    assert not SecurityMember.objects.filter(user=nora).exists()


def test_p4_a_seat_is_for_somebody_who_signed_in_with_a_second_factor(people):
    """P4"""
    with pytest.raises(NotEligible, match="second factor"):
        asked("add_security_member", people.dpo, user=factories.make_user("new").pk, title="other")


def test_p4_no_second_seat_for_a_person_and_none_for_a_superuser(people):
    """P4"""
    second = factories.make_user("dora2", person=people.dpo.person)
    factories.add_totp(second)
    for user in (second, people.superuser):
        with pytest.raises(NotEligible):
            asked("add_security_member", people.ciso, user=user.pk, title="other")


def test_p5_a_passkey_that_has_gone_makes_it_stale(people):
    """P5: what the approver saw is what is admitted."""
    nora = candidate()
    row = SoftPasskey().add_to(nora)
    request = approve(people.ciso, asked("add_security_member", people.dpo, user=nora.pk, title="other"))
    row.delete()
    assert work(request).state == State.STALE
    assert Roster.objects.count() == 1


def test_p5_a_passkey_brought_later_is_not_admitted(people):
    """P5"""
    nora = candidate()
    request = approve(people.ciso, asked("add_security_member", people.dpo, user=nora.pk, title="other"))
    SoftPasskey().add_to(nora)
    assert work(request).state == State.EXECUTED
    assert roster_in_force().entry(nora.pk).credentials == ()


def test_p6_who_joined_later_does_not_vote(people, ask):
    """P6"""
    nora, pending = candidate(), ask()
    work(approve(people.ciso, asked("add_security_member", people.dpo, user=nora.pk, title="other")))
    with pytest.raises(NotEligible, match="joined after"):
        approve(nora, pending)


def test_p5_the_vote_of_a_removed_member_does_not_count_any_more(people, ask):
    """P5"""
    pending = approve(people.third, ask())
    work(approve(people.ciso, asked("remove_security_member", people.dpo, member=seat(people.third).pk)))
    execution.execute(pending.pk)
    pending.refresh_from_db()
    assert pending.state == State.STALE


def test_p7_one_open_request_about_a_member(people):
    """P7: by seat and by account."""
    asked("remove_security_member", people.dpo, member=seat(people.third).pk)
    with pytest.raises(OpenRequestExists):
        asked("reset_credentials", people.dpo, user=people.third.pk)


def test_p4_no_pool_locks_the_replacement_of_its_only_member(people):
    """P4: a pool counts for passwords, not for people."""
    new_policy(pools=[{"title": "dpo", "count": 1}])
    fields = {"member": seat(people.dpo).pk, "user": candidate().pk, "title": "dpo"}
    request = asked("replace_security_member", people.administrator, **fields)
    assert work(approve(people.ciso, request)).state == State.EXECUTED


def test_p3_no_change_leaves_a_policy_that_cannot_be_met(people):
    """P3: members exceed the quorum, and fill every pool."""
    new_policy(quorum=2)
    with pytest.raises(SecurityRoleTooSmall, match="approvals needed"):
        asked("remove_security_member", people.dpo, member=seat(people.third).pk)


def test_p4_all_members_are_told(people, mailoutbox):
    """P4: the subject too; those who can decide are asked."""
    request = asked("remove_security_member", people.administrator, member=seat(people.third).pk)
    notify.notify(request.pk)
    told = {mail.to[0]: mail.subject for mail in mailoutbox}
    addresses = {user.username: user.person.email for user in (people.dpo, people.ciso, people.third)}
    assert "waits for your decision" in told[addresses["dora"]]
    assert "about people" in told[addresses["tess"]]
    mailoutbox.clear()
    work(approve(people.dpo, request))
    notify.notify(request.pk)
    assert {mail.to[0] for mail in mailoutbox} >= set(addresses.values()) - {addresses["tess"]}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("add_security_member", {"title": "dpo"}),
        ("add_security_member", {"title": "king"}),
        ("remove_security_member", {}),
        ("replace_security_member", {"title": "dpo"}),
        ("remove_security_member", {"title": "dpo"}),
        ("add_security_member", {"jobs": ["x"], "title": "dpo"}),
    ],
)
def test_a_wish_that_lacks_or_adds_something_is_invalid(people, kind, fields):
    with pytest.raises(Invalid):
        asked(kind, people.dpo, **fields)


def test_an_unknown_account_or_seat_is_not_found(people):
    with pytest.raises(NotFound):
        asked("add_security_member", people.dpo, user=seat(people.dpo).pk, title="dpo")
    with pytest.raises(NotFound):
        asked("remove_security_member", people.dpo, member=people.dpo.pk)


def test_p13_a_seat_that_ended_stays_in_the_books(people):
    """P13"""
    work(approve(people.ciso, asked("remove_security_member", people.dpo, member=seat(people.third).pk)))
    assert SecurityMember.objects.get(user=people.third).until <= timezone.now()
    assert User.objects.filter(pk=people.third.pk).exists()
