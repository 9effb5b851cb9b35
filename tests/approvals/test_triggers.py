"""P1, P5, P7, P8, P13: what PostgreSQL refuses, whoever asks."""

import uuid
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from approvals.models import ApprovalRequest, Policy, State, Vote
from tests.approvals.conftest import approve, reject

pytestmark = pytest.mark.django_db


def refuses(rule: str, sql: str, *values: Any) -> None:
    """See that the database refuses a statement by the name of a rule."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
    assert caught.value.__cause__.diag.constraint_name == rule


def vote(request: ApprovalRequest, user: Any, **fields: Any) -> None:
    """Insert a vote past every rule of ours."""
    given = {
        "request": request,
        "voter": user,
        "person_id": user.person_id,
        "asker_person_id": request.asker_person_id,
        "capacity": "security",
        "verdict": "approve",
        "digest": request.digest,
        "proof": {"factor": "totp", "nonce": "n"},
    }
    with transaction.atomic():
        Vote.objects.create(**(given | fields))


def test_p1_no_vote_of_the_asker(people, pending):
    """P1"""
    with pytest.raises(DatabaseError):
        vote(pending, people.operator)


def test_p1_no_vote_that_names_another_asker(people, pending):
    """P1: the copy of the asker must be the request's."""
    with pytest.raises(DatabaseError, match="vote"):
        vote(pending, people.operator, asker_person_id=people.dpo.person_id)


def test_p1_no_vote_in_another_persons_name(people, pending):
    """P1"""
    with pytest.raises(DatabaseError):
        vote(pending, people.second_account, person_id=people.dpo.person_id)


def test_p8_no_vote_of_a_service_account(people, ask):
    """P8"""
    with pytest.raises(DatabaseError):
        vote(ask(by=people.dpo), people.service)


def test_p5_no_vote_on_another_text(people, pending):
    """P5"""
    with pytest.raises(DatabaseError):
        vote(pending, people.dpo, digest="0" * 64)


def test_p7_no_second_vote_of_a_person(people, pending):
    """P7"""
    vote(pending, people.dpo)
    with pytest.raises(DatabaseError, match="one_vote_a_person"):
        vote(pending, people.dpo)


def test_no_vote_on_an_ended_request(people, pending):
    reject(people.dpo, pending)
    with pytest.raises(DatabaseError):
        vote(pending, people.ciso)


def test_p13_votes_stay(people, pending):
    """P13"""
    approve(people.dpo, pending)
    refuses("vote_stays", "DELETE FROM approvals_vote")
    refuses("vote_stays", "UPDATE approvals_vote SET comment = 'fine'")


@pytest.mark.parametrize(
    "table", ["approvals_approvalrequest", "approvals_requesttarget", "approvals_policy"]
)
def test_p13_nothing_is_deleted(pending, table):
    """P13"""
    with pytest.raises(DatabaseError, match="refused"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize("table", ["approvals_vote", "approvals_policy", "approvals_requesttarget"])
def test_p13_nothing_is_truncated(table):
    """P13"""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError), transaction.atomic():
            cursor.execute(f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("statement", b"{}"),
        ("digest", "0" * 64),
        ("asker_person_id", uuid.uuid4()),
        ("number", 7),
        ("kind", "delete_password"),
        ("policy", '{"quorum": 0}'),
        ("decide_by", "2030-01-01"),
    ],
)
def test_p5_what_the_digest_hangs_on_never_changes(pending, column, value):
    """P5"""
    refuses("request_fixed", f"UPDATE approvals_approvalrequest SET {column} = %s", value)


def test_p2_nothing_is_approved_without_votes(pending):
    """P2"""
    refuses("request_approved_by_quorum", "UPDATE approvals_approvalrequest SET state = 'approved'")


def test_p2_nothing_is_executed_without_approval(pending):
    """P2"""
    refuses("request_one_way", "UPDATE approvals_approvalrequest SET state = 'executed'")


@pytest.mark.parametrize("state", [state for state in State if state not in ("rejected",)])
def test_nothing_leaves_an_end(people, pending, state):
    reject(people.dpo, pending)
    refuses("request_one_way", "UPDATE approvals_approvalrequest SET state = %s", state.value)


def test_an_ended_request_takes_no_secret(people, pending):
    reject(people.dpo, pending)
    refuses("request_written_once", "UPDATE approvals_approvalrequest SET sealed_secret = %s", b"x")


def test_a_secret_is_not_exchanged(pending):
    refuses("request_written_once", "UPDATE approvals_approvalrequest SET sealed_secret = %s", b"x")


def test_a_target_of_an_open_request_is_not_let_go(pending):
    refuses("target_closes_with_request", "UPDATE approvals_requesttarget SET open = false")


def test_a_request_does_not_start_approved(pending):
    copy = ApprovalRequest.objects.get(pk=pending.pk)
    copy.pk, copy.number, copy.state = uuid.uuid4(), 9, State.APPROVED
    with pytest.raises(DatabaseError, match="starts pending"), transaction.atomic():
        copy.save(force_insert=True)


def test_a_policy_is_not_changed_but_followed_by_another():
    with pytest.raises(DatabaseError), transaction.atomic():
        Policy.objects.update(quorum=1, mfa_required=False)


@pytest.mark.parametrize(
    ("role", "sql"),
    [
        ("web", "UPDATE approvals_vote SET comment = ''"),
        ("web", "DELETE FROM approvals_vote"),
        ("web", "DELETE FROM approvals_approvalrequest"),
        ("web", "INSERT INTO approvals_policy (id) VALUES (gen_random_uuid())"),
        ("worker", "INSERT INTO approvals_vote (id) VALUES (gen_random_uuid())"),
        ("worker", "INSERT INTO approvals_approvalrequest (id) VALUES (gen_random_uuid())"),
        ("worker", "DELETE FROM approvals_requesttarget"),
    ],
)
def test_the_roles_may_not(as_role, role, sql):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(role).execute(sql)
