"""P2, P7, P9: asking, with every rule; and what the database refuses besides."""

import hashlib
import json

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import SecurityRole
from approvals import statement
from approvals.errors import (
    Invalid,
    JobBusy,
    NotEligible,
    NotFound,
    OpenRequestExists,
    SecurityRoleTooSmall,
)
from approvals.models import ApprovalRequest, State
from approvals.services import requests
from audit.models import Entry, Outbox
from encryption.errors import PasswordRefused
from encryption.models import EncryptionPassword, JobUserObjectPermission
from tests.approvals.conftest import CUSTODY, SECRET, answers, approve, new_policy, reject, suspend, wish

pytestmark = pytest.mark.django_db


def test_a_request_is_pending_and_numbered(pending):
    assert pending.state == State.PENDING
    assert pending.number > 1000
    assert str(pending) == f"R-{pending.number}"


def test_the_digest_is_that_of_the_statement(pending):
    assert pending.digest == hashlib.sha256(bytes(pending.statement)).hexdigest()


def test_the_statement_says_who_why_and_what(pending, people, job):
    said = statement.parse(bytes(pending.statement))
    assert said.asker.person == people.operator.person_id
    assert said.reason == "The authority asks for it."
    assert said.refs("job") == [job.pk]
    assert said.custody == [CUSTODY]
    assert len(said.answers) == 4
    assert said.change["start"] == "next_run"


def test_the_statement_covers_the_sealed_secret(pending):
    said = statement.parse(bytes(pending.statement))
    assert said.change["secret_sha256"] == hashlib.sha256(bytes(pending.sealed_secret)).hexdigest()


def test_the_statement_shows_consequences(pending):
    said = statement.parse(bytes(pending.statement))
    assert any("full backup" in row["text"] for row in said.consequences)


def test_p9_the_password_is_in_no_row_and_no_entry(pending):
    """P9"""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')
            for (row,) in cursor.fetchall():
                assert SECRET not in row
                assert SECRET.encode().hex() not in row


def test_asking_rings_for_a_mail(pending):
    assert Outbox.objects.filter(name="approvals.notify", ref=pending.pk).count() == 1


def test_p12_asking_is_one_entry(pending):
    """P12"""
    entry = Entry.objects.get(event="request.created")
    assert entry.subject_id == str(pending.pk)
    assert entry.facts["digest"] == pending.digest


def test_a_service_account_asks_on_behalf_of_its_owner(ask, people):
    said = statement.parse(bytes(ask(by=people.service, via_token=True).statement))
    assert said.asker.on_behalf == people.operator.person_id


def test_a_security_member_may_ask(ask, people):
    assert ask(by=people.dpo).state == State.PENDING


def test_an_auditor_may_not_ask(ask, people):
    with pytest.raises(NotEligible):
        ask(by=people.auditor)


def test_a_superuser_without_a_role_may_not_ask(ask, people):
    with pytest.raises(NotEligible):
        ask(by=people.superuser)


def test_somebody_named_for_the_job_may_ask(ask, people, job):
    from django.contrib.auth.models import Permission

    permission = Permission.objects.get(codename="ask_change_job")
    JobUserObjectPermission.objects.create(user=people.nobody, content_object=job, permission=permission)
    assert ask(by=people.nobody).state == State.PENDING


def test_a_refused_question_is_one_entry(ask, people):
    with pytest.raises(NotEligible):
        ask(by=people.auditor)
    assert Entry.objects.get(event="attempt.refused").facts["code"] == "not_eligible"


def test_p3_nothing_is_asked_while_security_is_too_small(ask, people):
    """P3"""

    suspend(people.ciso, people.third)
    with pytest.raises(SecurityRoleTooSmall):
        ask()


def test_p3_nothing_is_asked_before_the_role_is_sealed(ask, people):
    """P3"""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        SecurityRole.objects.update(sealed_at=None)
        cursor.execute("SET session_replication_role = origin")
    with pytest.raises(SecurityRoleTooSmall):
        ask()


def test_p6_a_policy_that_nobody_could_meet_is_no_way_in(ask):
    """P6"""
    new_policy(quorum=9)
    with pytest.raises(Invalid, match="Too few people"):
        ask()


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"reason": "  "}, "reason is missing"),
        ({"reason": "Now\u202etxet"}, "does not show"),
        ({"reason": "x" * 2001}, "at most"),
        ({"jobs": []}, "1 to 500"),
        ({"new_password": None}, "exactly one of both"),
        ({"hint": ""}, "needs a hint"),
        ({"custody": []}, "who will hold"),
        ({"custody": [{"medium": "paper"}]}, "Each copy"),
        ({"custody": [CUSTODY | {"offsite": "yes"}]}, "true or false"),
        ({"answers": []}, "The procedure asks"),
        ({"answers": [{"question": "Is it Friday?", "answer": "No."}]}, "does not ask"),
        ({"start": "later"}, "start"),
        ({"then": "delete"}, "takes no 'then'"),
        ({"scope": "data"}, "takes no 'scope'"),
    ],
)
def test_an_incomplete_question_is_refused(ask, fields, why):
    with pytest.raises(Invalid, match=why):
        ask(**fields)
    assert not ApprovalRequest.objects.exists()


@pytest.mark.parametrize("password", ["short", "Password1234", "pass\x00word-long-enough", "qwertyuiop12"])
def test_a_weak_or_unreadable_password_is_refused_at_the_door(ask, password):
    with pytest.raises(PasswordRefused):
        ask(new_password=password)


def test_an_unknown_kind_is_refused(people):
    with pytest.raises(Invalid):
        requests.ask("approve_everything", by=people.operator, reason="Why not.")


def test_an_unknown_job_is_refused(ask, job):
    import uuid

    with pytest.raises(NotFound):
        ask(jobs=[uuid.uuid4()])


def test_an_unknown_password_is_refused(people):
    import uuid

    with pytest.raises(NotFound):
        requests.ask("delete_password", by=people.operator, reason="Old.", encryption_password=uuid.uuid4())


def test_a_plain_job_is_not_deactivated(people, job):
    with pytest.raises(Invalid, match="not encrypted"):
        requests.ask("deactivate_encryption", by=people.operator, reason="Moved.", jobs=[job.pk])


def test_a_password_that_no_job_uses_is_not_changed(people):
    password = EncryptionPassword.objects.create(hint="Idle")
    with pytest.raises(Invalid, match="nothing to re-key"):
        requests.ask(
            "change_password",
            by=people.operator,
            reason="Yearly.",
            encryption_password=password.pk,
            new_password=SECRET,
            custody=[CUSTODY],
            answers=answers(),
        )


def test_p7_one_open_request_a_job(ask, pending):
    """P7"""
    with pytest.raises(OpenRequestExists):
        ask()


def test_p7_a_request_for_many_jobs_is_stopped_by_one_of_them(ask, pending, job, make_job):
    """P7"""
    with pytest.raises(OpenRequestExists):
        ask(make_job("Other"), job)


def test_p7_after_the_end_one_may_ask_again(ask, pending, people):
    """P7"""
    reject(people.dpo, pending)
    assert ask().pk != pending.pk


def test_p7_the_database_refuses_a_second_open_target(pending):
    """P7"""
    target = pending.targets.first()
    with pytest.raises(IntegrityError, match="one_open_request_a_target"), transaction.atomic():
        pending.targets.create(type=target.type, ref=target.ref)


def test_a_job_under_a_rekey_is_busy(ask, people, pending, roster):
    from approvals.services import execution

    approve(people.dpo, pending)
    execution.execute(pending.pk)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE approvals_requesttarget SET open = false")
        cursor.execute("SET session_replication_role = origin")
    with pytest.raises(JobBusy):
        ask()


def test_a_preview_says_what_would_be_asked_and_writes_nothing(people, job):
    shown = requests.preview("activate_encryption", by=people.operator, **wish(job))
    assert shown.statement.refs("job") == [job.pk]
    assert not ApprovalRequest.objects.exists()


def test_two_names_that_look_alike_are_two_jobs(ask, make_job):
    first, second = make_job("Mail"), make_job("mail")
    said = statement.parse(bytes(ask(first).statement))
    assert said.refs("job") == [first.pk]
    assert ask(second).state == State.PENDING


def test_the_procedure_of_the_day_is_named_by_its_digest(pending):
    body = json.loads(bytes(pending.statement))
    assert body["procedure"]["version"] == 1
    assert len(body["procedure"]["sha256"]) == 64
