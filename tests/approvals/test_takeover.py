"""P14: the takeover list, refused one by one: superuser and administrator try, the worker looks again."""

import uuid
from typing import Any

import psycopg
import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import get_resolver

from accounts import roster as rosters
from accounts.errors import NotEligible
from accounts.models import Person, Role, Roster, SecurityMember, User
from accounts.services import users
from accounts.services.security_role import roster_in_force
from approvals import selectors
from approvals.models import ApprovalRequest, State, Vote
from audit import keys
from encryption.models import Repository, RepositoryUserObjectPermission
from tests.accounts import factories
from tests.approvals.conftest import approve, work
from tests.approvals.executing import forge, stale
from tests.approvals.governing import asked, candidate, seat

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(people) -> Client:
    """The superuser's browser, signed in with everything that Django gives."""
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(people.superuser)
    return client


@pytest.fixture(autouse=True)
def _signed(roster: None) -> None:
    """Every test here has the signed roster."""


def same(user: User) -> None:
    """See that an account is as it was."""
    now = User.objects.get(pk=user.pk)
    names = ("password", "email", "person_id", "is_active", "is_staff", "is_superuser", "username")
    assert [getattr(now, name) for name in names] == [getattr(user, name) for name in names]


def vote_row(request: ApprovalRequest, user: User, **fields: Any) -> Vote:
    """A vote, written past every use case."""
    given = {
        "request": request,
        "voter": user,
        "person_id": user.person_id,
        "asker_person_id": request.asker_person_id,
        "capacity": "security",
        "title": "dpo",
        "verdict": "approve",
        "digest": request.digest,
        "proof": {"factor": "passkey", "nonce": "n", "credential": "c", "response": {}},
    }
    with transaction.atomic():
        return Vote.objects.create(**(given | fields))


def test_p14_no_superuser_sets_a_members_password(people, root):
    """P14: neither in the console nor by the command."""
    for path in (
        f"/admin/accounts/user/{people.dpo.pk}/password/",
        f"/admin/auth/user/{people.dpo.pk}/password/",
    ):
        assert root.post(path, {"password1": "x" * 20, "password2": "x" * 20}).status_code in (302, 404)
    with pytest.raises(CommandError):
        call_command("changepassword", people.dpo.username)
    same(people.dpo)


def test_p14_no_superuser_edits_a_member(people, root):
    """P14: e-mail, person, activity, staff: the page of an account has no field."""
    fields = {
        "username": "x",
        "email": "evil@example.com",
        "person": str(people.superuser.person_id),
        "is_active": "",
        "is_staff": "on",
        "is_superuser": "on",
        "password": "x",
    }
    root.post(f"/admin/accounts/user/{people.dpo.pk}/change/", fields)
    same(people.dpo)


def test_p14_no_superuser_edits_a_members_person(people, root):
    """P14: a reset would go to the address."""
    before = Person.objects.get(pk=people.dpo.person_id).email
    root.post(
        f"/admin/accounts/person/{people.dpo.person_id}/change/", {"name": "X", "email": "evil@example.com"}
    )
    assert Person.objects.get(pk=people.dpo.person_id).email == before


@pytest.mark.parametrize("column", ["person_id", "is_human", "id"])
def test_p14_whose_account_it_is_is_written_once(people, column):
    """P14: in SQL too."""
    value = {"person_id": people.superuser.person_id, "is_human": False, "id": uuid.uuid4()}[column]
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE accounts_user SET {column} = %s WHERE id = %s", [value, people.dpo.pk])


@pytest.mark.parametrize("name", ["superuser", "administrator"])
def test_p14_nobody_switches_a_member_off_or_on(people, name):
    """P14"""
    for active in (False, True):
        with pytest.raises(NotEligible):
            users.set_active(people.dpo.pk, active=active, by=getattr(people, name))
    with pytest.raises(NotEligible):
        users.new_link(people.dpo.pk, by=getattr(people, name))
    same(people.dpo)


@pytest.mark.parametrize("model", [Authenticator, Group, Permission])
def test_p14_factors_groups_and_permissions_are_not_in_the_console(model):
    """P14"""
    assert not admin.site.is_registered(model)


def test_p14_no_guardian_row_lets_anybody_decide(people, pending):
    """P14: eligibility reads membership, never a permission row."""
    repository = Repository.objects.get()
    for user in (people.superuser, people.nobody):
        permission = Permission.objects.get(codename="decide_repository")
        RepositoryUserObjectPermission.objects.create(
            user=user, content_object=repository, permission=permission
        )
        assert selectors.obstacle_for(pending, user) is not None


def test_p14_no_address_impersonates():
    """P14: there is no such door."""
    words = ("hijack", "impersonat", "loginas", "login_as", "sudo", "masquerade")
    names = [str(key) for key in get_resolver().reverse_dict]
    assert [name for name in names if any(word in name for word in words)] == []


def test_p14_a_header_names_nobody(people, client):
    """P14: identity is the session's."""
    headers = {"X-Forwarded-User": "dora", "Remote-User": "dora", "X-Remote-User": "dora"}
    assert client.get("/api/v1/me/", headers=headers).status_code == 401


def test_p14_a_superuser_grants_no_office(people):
    """P14, P4: nor does an administrator, outside a request."""
    for by in (people.superuser, people.administrator):
        with pytest.raises(NotEligible):
            users.create_user(person=people.nobody.person_id, username="x", role=Role.ADMINISTRATOR, by=by)


def as_web(sql: str, *values: Any) -> type[Exception]:
    """Run a statement as the web process and return the refusal."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE veeamsec_web")
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            cursor.execute(sql, values)
        cursor.execute("RESET ROLE")
    return type(caught.value.__cause__)


def test_p14_the_database_grants_no_office_to_the_web(people):
    """P14, P4"""
    sql = (
        "INSERT INTO accounts_rolegrant (id, user_id, role, since)"
        " VALUES (gen_random_uuid(), %s, 'administrator', now())"
    )
    assert as_web(sql, people.nobody.pk) is psycopg.errors.CheckViolation


@pytest.mark.parametrize("table", ["accounts_securitymember", "accounts_roster", "approvals_policy"])
def test_p14_the_web_writes_neither_seats_nor_rosters_nor_policies(people, table):
    """P14, P4"""
    for sql in (f"INSERT INTO {table} DEFAULT VALUES", f"DELETE FROM {table}"):
        assert as_web(sql) is psycopg.errors.InsufficientPrivilege


def test_p14_the_consoles_door_asks_for_the_second_factor(people):
    """P14: its login is the house's."""
    client = Client(headers={"host": "localhost:8000"})
    answer = client.post("/admin/login/", {"username": "root", "password": factories.PASSWORD})
    assert "_auth_user_id" not in client.session
    assert answer.status_code in (302, 403, 200)
    client.post("/account/login/", {"login": "root", "password": factories.PASSWORD})
    assert "_auth_user_id" not in client.session


def test_p14_nobody_makes_a_second_person_of_themselves_that_decides(people):
    """P14: a new person's account has no office, and a seat needs Security's yes."""
    person = users.create_person(name="Adam Two", by=people.administrator)
    with pytest.raises(NotEligible):
        users.create_user(
            person=person.pk, username="adam2", role=Role.ADMINISTRATOR, by=people.administrator
        )
    made, _ = users.create_user(
        person=person.pk, username="adam2", role=Role.OPERATOR, by=people.administrator
    )
    made.set_password(factories.PASSWORD)
    made.save()
    factories.add_totp(made)
    with pytest.raises(NotEligible):
        asked("add_security_member", people.administrator, user=made.pk, title="dpo")


def test_p14_nobody_makes_another_account_of_a_member(people):
    """P14: whoever opens a link becomes its person."""
    with pytest.raises(NotEligible):
        users.create_user(
            person=people.dpo.person_id, username="dora9", role=Role.AUDITOR, by=people.administrator
        )


def test_p14_a_forged_vote_is_executed_by_no_worker(people, pending):
    """P14: a passkey's answer that nobody gave; it goes stale, nothing is written."""
    vote_row(pending, people.dpo)
    forge("approvals_approvalrequest", pending.pk, state="approved", decided_at=pending.created_at)
    assert stale(pending)


def test_p14_a_vote_of_a_forged_seat_is_executed_by_no_worker(people, pending):
    """P14: the signed roster knows no such member."""
    SecurityMember.objects.create(
        user=people.nobody, person_id=people.nobody.person_id, title="dpo", since=people.dpo.date_joined
    )
    vote_row(pending, people.nobody, proof={"factor": "totp", "nonce": "n"})
    forge("approvals_approvalrequest", pending.pk, state="approved", decided_at=pending.created_at)
    assert "roster" in stale(pending)


def test_p14_a_forged_roster_is_used_by_no_worker(people, pending):
    """P14: signed by another key, or by none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    payload = bytes(Roster.objects.get().body).replace(
        b'"number":1,"previous":null',
        b'"number":2,"previous":"' + rosters.digest(bytes(Roster.objects.get().body)).encode() + b'"',
    )
    thief = Ed25519PrivateKey.generate()
    envelope = rosters.sign(payload, thief, keys.keyid(thief.public_key()))
    Roster.objects.create(number=2, body=payload, envelope=envelope)
    with pytest.raises(rosters.RosterInvalid):
        roster_in_force()
    assert work(approve(people.dpo, pending)).state == State.STALE


def test_p1_sql_takes_no_vote_of_the_subject(people):
    """P1: whom a request is about."""
    request = asked("remove_security_member", people.administrator, member=seat(people.third).pk)
    with pytest.raises(DatabaseError) as caught:
        vote_row(request, people.third)
    assert caught.value.__cause__.diag.constraint_name == "vote_not_of_the_subject"


def test_p4_sql_takes_no_administrators_vote_on_people(people):
    """P4"""
    request = asked("add_security_member", people.dpo, user=candidate().pk, title="dpo")
    with pytest.raises(DatabaseError) as caught:
        vote_row(request, people.administrator, capacity="administrator", title="")
    assert caught.value.__cause__.diag.constraint_name == "vote_of_security_alone"


def test_p4_a_forged_capacity_is_executed_by_no_worker(people):
    """P4: an administrator who says that they are Security."""
    request = asked("add_security_member", people.dpo, user=candidate().pk, title="dpo")
    vote_row(request, people.administrator, proof={"factor": "totp", "nonce": "n"})
    forge("approvals_approvalrequest", request.pk, state="approved", decided_at=request.created_at)
    request.refresh_from_db()
    assert work(request).state == State.STALE
    assert Roster.objects.count() == 1


def test_p3_sql_approves_nothing_about_passwords_with_one_active_member(people, pending):
    """P3"""
    vote_row(pending, people.dpo, proof={"factor": "totp", "nonce": "n"})
    SecurityMember.objects.exclude(user=people.dpo).update(suspended_at=pending.created_at)
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        ApprovalRequest.objects.filter(pk=pending.pk).update(state="approved")
    assert caught.value.__cause__.diag.constraint_name == "request_needs_two_members"
