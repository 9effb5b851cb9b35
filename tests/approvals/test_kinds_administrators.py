"""P4, P14: administrators and credentials change by a request that Security alone decides."""

import pytest
from allauth.mfa.models import Authenticator
from django.db import DatabaseError, connection, transaction

from accounts.models import ApiToken, EnrolmentLink, Notice, Person, Role, RoleGrant, User
from accounts.services import security_role, users
from accounts.services.security_role import roster_in_force
from approvals.errors import Invalid, NotEligible, OwnRequest
from approvals.models import State
from approvals.selectors import said_in
from audit.models import Outbox
from tests.accounts import factories
from tests.accounts.soft_passkey import SoftPasskey
from tests.approvals.conftest import approve, work
from tests.approvals.governing import asked, candidate, seat

pytestmark = pytest.mark.django_db
PASSWORD = "another long sentence of words 9"


@pytest.fixture(autouse=True)
def _signed(roster: None) -> None:
    """Every test here has the signed roster."""


@pytest.mark.parametrize(
    ("role", "granted"), [("backup", Role.ADMINISTRATOR), ("enterprise", Role.ENTERPRISE)]
)
def test_p4_an_office_is_granted_by_a_request(people, role, granted):
    """P4"""
    nora = candidate(role=None)
    request = work(
        approve(people.dpo, asked("grant_administrator", people.administrator, user=nora.pk, role=role))
    )
    assert request.state == State.EXECUTED, request.outcome
    nora = User.objects.get(pk=nora.pk)
    assert nora.has_role(granted)
    assert nora.is_staff
    assert (roster_in_force().entry(nora.pk) is not None) == (granted == Role.ADMINISTRATOR)


def test_p4_no_member_of_security_is_granted_an_office(people):
    """P4: nor any other account of that person."""
    second = factories.make_user("dora2", person=people.dpo.person)
    factories.add_totp(second)
    for user in (people.dpo, second):
        with pytest.raises(NotEligible, match="seat"):
            asked("grant_administrator", people.ciso, user=user.pk, role="backup")


def test_p1_who_asks_for_themselves_is_refused_the_decision(people):
    """P1: the subject, and the asker."""
    request = asked("revoke_administrator", people.administrator, user=people.administrator.pk, role="backup")
    with pytest.raises(OwnRequest):
        approve(people.administrator, request)


def test_p4_a_revoked_administrator_has_no_office_no_session_no_place_in_the_roster(people, client):
    """P4"""
    client.force_login(people.administrator)
    assert client.get("/account/").status_code == 200
    fields = {"user": people.administrator.pk, "role": "backup"}
    request = work(approve(people.dpo, asked("revoke_administrator", people.ciso, **fields)))
    assert request.state == State.EXECUTED, request.outcome
    administrator = User.objects.get(pk=people.administrator.pk)
    assert not administrator.has_role(Role.ADMINISTRATOR)
    assert not administrator.is_staff
    assert roster_in_force().entry(administrator.pk) is None
    assert client.get("/account/").status_code == 302
    assert RoleGrant.objects.filter(user=administrator).count() == 1


def test_p5_the_vote_of_a_revoked_administrator_does_not_count(people, ask):
    """P5"""
    pending = approve(people.administrator, ask())
    fields = {"user": people.administrator.pk, "role": "backup"}
    work(approve(people.dpo, asked("revoke_administrator", people.ciso, **fields)))
    assert work(pending).state == State.STALE


def test_an_administrator_is_admitted_anew_with_a_passkey(people):
    SoftPasskey().add_to(people.administrator)
    fields = {"user": people.administrator.pk, "role": "backup"}
    request = work(approve(people.dpo, asked("grant_administrator", people.ciso, **fields)))
    assert request.state == State.EXECUTED, request.outcome
    assert len(roster_in_force().entry(people.administrator.pk).credentials) == 1


def test_what_would_change_nothing_is_invalid(people):
    with pytest.raises(Invalid, match="already"):
        asked("grant_administrator", people.ciso, user=people.administrator.pk, role="backup")
    with pytest.raises(Invalid, match="does not hold"):
        asked("revoke_administrator", people.ciso, user=people.operator.pk, role="backup")
    with pytest.raises(Invalid):
        asked("grant_administrator", people.ciso, user=people.operator.pk, role="operator")


def reset(people, user: User) -> User:
    """Reset somebody's credentials from the question to its end."""
    request = work(approve(people.dpo, asked("reset_credentials", people.administrator, user=user.pk)))
    assert request.state == State.EXECUTED, request.outcome
    return User.objects.get(pk=user.pk)


def test_p14_a_decided_reset_takes_everything_away(people, client):
    """P14"""
    key = SoftPasskey()
    key.add_to(people.ciso)
    users.create_token(user=people.ciso, name="x", days=1, scopes=["api"], by=people.ciso)
    client.force_login(people.ciso)
    client.get("/account/")
    ciso = reset(people, people.ciso)
    assert not ciso.has_usable_password()
    assert not Authenticator.objects.filter(user=ciso).exists()
    assert not ApiToken.objects.filter(user=ciso).exists()
    assert client.get("/account/").status_code == 302
    assert Notice.objects.filter(user=ciso, what=Notice.What.CREDENTIALS_RESET).exists()
    assert seat(ciso).until is None


def test_p14_only_its_person_gets_the_link(people, mailoutbox):
    """P14: by mail to their own address; it works once."""
    ciso = reset(people, people.ciso)
    assert Outbox.objects.filter(name="accounts.send_link", ref=ciso.pk).exists()
    users.send_link(ciso.pk)
    [mail] = [mail for mail in mailoutbox if "Set your password" in mail.subject]
    assert mail.to == [ciso.person.email]
    token = mail.body.split("/start/")[1].split("/")[0]
    security_role.enrol(token, password=PASSWORD)
    assert User.objects.get(pk=ciso.pk).check_password(PASSWORD)
    with pytest.raises(NotEligible):
        users.send_link(ciso.pk)


def test_p14_no_administrator_makes_the_link_instead(people):
    """P14: not even of an operator, once it was used."""
    EnrolmentLink.objects.create(
        token_hash=b"x" * 32,
        seat="user",
        user=people.operator,
        expires_at=people.operator.date_joined,
        used_at=people.operator.date_joined,
    )
    operator = reset(people, people.operator)
    with pytest.raises(NotEligible):
        users.new_link(operator.pk, by=people.administrator)


def test_p14_the_passkeys_of_the_reset_leave_the_roster(people):
    """P14"""
    SoftPasskey().add_to(people.administrator)
    fields = {"user": people.administrator.pk, "role": "backup"}
    work(approve(people.dpo, asked("grant_administrator", people.ciso, **fields)))
    reset(people, people.administrator)
    assert roster_in_force().entry(people.administrator.pk).credentials == ()


def test_p14_a_reset_switches_an_account_on_again(people):
    """P14: reactivation by a decided request."""
    User.objects.filter(pk=people.operator.pk).update(is_active=False)
    assert reset(people, people.operator).is_active


def test_p14_filing_alone_changes_nothing(people):
    """P14"""
    asked("reset_credentials", people.administrator, user=people.ciso.pk)
    assert User.objects.get(pk=people.ciso.pk).has_usable_password()
    assert not EnrolmentLink.objects.filter(user=people.ciso).exists()


def test_p14_a_service_account_has_nothing_to_reset(people):
    """P14"""
    with pytest.raises(Invalid):
        asked("reset_credentials", people.dpo, user=people.service.pk)


def test_p14_the_link_goes_to_the_address_that_was_approved(people, mailoutbox):
    """P14: which the request says, and which is the account's own from then on."""
    address = people.operator.person.email
    request = asked("reset_credentials", people.administrator, user=people.operator.pk)
    assert any(address in row["text"] for row in said_in(request).consequences)
    assert work(approve(people.dpo, request)).state == State.EXECUTED
    Person.objects.filter(pk=people.operator.person_id).update(email="adam@elsewhere.example")
    users.send_link(people.operator.pk)
    [mail] = [mail for mail in mailoutbox if "Set your password" in mail.subject]
    assert mail.to == [address]


def test_p14_an_address_changed_after_the_decision_ends_the_reset(people):
    """P14, P5: an administrator edits the address of who is unguarded, and gets no link by that."""
    request = approve(people.dpo, asked("reset_credentials", people.administrator, user=people.operator.pk))
    Person.objects.filter(pk=people.operator.person_id).update(email="adam@elsewhere.example")
    request = work(request)
    assert (request.state, "address" in request.outcome) == (State.STALE, True)
    assert User.objects.get(pk=people.operator.pk).has_usable_password()


def test_p14_nobody_without_an_address_is_reset(people):
    """P14"""
    Person.objects.filter(pk=people.operator.person_id).update(email="")
    with pytest.raises(Invalid, match="no e-mail address"):
        asked("reset_credentials", people.administrator, user=people.operator.pk)


def test_p14_no_link_goes_to_an_address_that_nobody_decided(people):
    """P14: not to the person's, where the account has none of its own."""
    User.objects.filter(pk=people.operator.pk).update(email="", password="!")
    with pytest.raises(NotEligible):
        users.send_link(people.operator.pk)


def test_p14_the_web_changes_no_address_of_an_account(people):
    """P14: the database refuses it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE veeamsec_web")
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            cursor.execute(
                "UPDATE accounts_user SET email = 'adam@elsewhere.example' WHERE id = %s",
                [people.operator.pk],
            )
        cursor.execute("RESET ROLE")
    assert caught.value.__cause__.diag.constraint_name == "address_by_request"
