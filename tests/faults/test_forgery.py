"""What somebody who holds the web process can write: one table of what the database refuses, one of what the
worker refuses, by name and in the log. P2, P5, P8, P10, P12, P13.
"""

import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.utils import timezone
from psycopg.types.json import Jsonb

from approvals.models import ApprovalRequest, State
from audit.models import Entry, Outbox
from audit.queue import Task
from encryption.models import Attestation, PasswordVersion, Rekey, RekeyJob
from tests.approvals.conftest import People, approve, ask, job, make_job, pending, people, roster, run, work
from tests.approvals.conftest import transactional as transactional
from tests.faults.worker import deliver

assert ask, (job, make_job, pending, people, roster)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("roster")]
Web = psycopg.Connection
REFUSALS = (psycopg.errors.InsufficientPrivilege, psycopg.errors.CheckViolation)

# Append only: the log, what it commits to, what was decided, who decides, what was attested.
GUARDED = {
    "audit_entry": "event",
    "audit_entryname": "name",
    "audit_checkpoint": "note",
    "approvals_vote": "verdict",
    "approvals_policy": "quorum",
    "accounts_roster": "envelope",
    "encryption_attestation": "envelope",
}
VERBS = ("UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE")
# Whatever would take the guards themselves away, or put something before them.
SWITCHES = (
    "ALTER TABLE {0} DISABLE TRIGGER ALL",
    "ALTER TABLE {0} DISABLE TRIGGER USER",
    "ALTER TABLE {0} DISABLE TRIGGER {1}",
    "DROP TRIGGER {1} ON {0}",
    "ALTER TRIGGER {1} ON {0} RENAME TO gone",
    "CREATE RULE away AS ON INSERT TO {0} DO INSTEAD NOTHING",
    "CREATE TRIGGER mine BEFORE INSERT ON {0} EXECUTE FUNCTION audit_refuse()",
    "ALTER TABLE {0} OWNER TO veeamsec_web",
    "DROP TABLE {0} CASCADE",
    "CREATE TEMPORARY TABLE {0} (id int)",
)
ALONE = (
    "SET session_replication_role = replica",
    "SET ROLE veeamsec_owner",
    "SET ROLE veeamsec_worker",
    "SET SESSION AUTHORIZATION veeamsec_owner",
    "ALTER ROLE veeamsec_web SUPERUSER",
    "GRANT veeamsec_worker TO veeamsec_web",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "DROP FUNCTION audit_refuse() CASCADE",
    "ALTER FUNCTION audit_refuse() RENAME TO away",
    "COPY audit_entry TO PROGRAM 'true'",
    "DELETE FROM django_migrations",
)


@pytest.fixture(autouse=True)
def web(as_role: Callable[[str], Web]) -> Web:
    """The web's own role; before anything moves the home in which its password stands."""
    return as_role("web")


@pytest.fixture
def badged(people: People, pending: ApprovalRequest) -> ApprovalRequest:
    """A request that went its whole way, so that every table holds something to lose."""
    done = work(approve(people.dpo, pending))
    assert done.state == State.EXECUTED
    return done


def passed(web: Web, statements: list[str]) -> list[str]:
    """Return what the database did not refuse for want of a right or by a rule of ours."""
    done = []
    for statement in statements:
        try:
            web.execute(statement)
        except REFUSALS:
            continue
        done.append(statement)
    return done


def test_p12_p13_the_web_rewrites_nothing(web, badged):
    """P12, P13: UPDATE, DELETE and TRUNCATE on log, votes, policies, roster and attestations."""
    run(badged.rekey.steps.get().job)
    assert passed(web, [verb.format(*pair) for pair in GUARDED.items() for verb in VERBS]) == []


def test_p12_the_web_takes_no_guard_away(web):
    """P12: dropping or disabling a trigger, or setting something before the table it reads."""
    rows = web.execute("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal")
    guards = rows.fetchall()
    assert {table for table, _ in guards} >= set(GUARDED) - {"approvals_policy"}
    switches = [switch.format(table, trigger) for table, trigger in guards for switch in SWITCHES]
    assert passed(web, [*switches, *ALONE]) == []


INSERTS: dict[str, tuple[str, list[Any]]] = {
    "a roster": ("INSERT INTO accounts_roster VALUES (2, '', '{}', now())", []),
    "a seat": (
        "INSERT INTO accounts_securitymember (id, user_id, person_id, title, since)"
        " SELECT gen_random_uuid(), id, person_id, 'dpo', now() FROM accounts_user LIMIT 1",
        [],
    ),
    "a re-key": (
        'INSERT INTO encryption_rekey (id, request, action, scope, version_id, "order", retry_until, state,'
        " fulls_a_night, created_at) SELECT gen_random_uuid(), gen_random_uuid(), action, scope, version_id,"
        " \"order\", retry_until, 'queued', fulls_a_night, now() FROM encryption_rekey",
        [],
    ),
    "a step": (
        "INSERT INTO encryption_rekeyjob (id, rekey_id, job_id, state, user_key, old_fingerprint,"
        " new_fingerprint, done, total, fence, error, proof) SELECT gen_random_uuid(), rekey_id, job_id,"
        " 'queued', user_key, old_fingerprint, new_fingerprint, 0, 0, 0, '', '{}' FROM encryption_rekeyjob",
        [],
    ),
    "a password version": (
        "INSERT INTO encryption_passwordversion SELECT (v).* FROM (SELECT jsonb_populate_record(t,"
        " jsonb_build_object('id', gen_random_uuid(), 'number', 9)) AS v"
        " FROM encryption_passwordversion t) s",
        [],
    ),
    "an attestation": (
        "INSERT INTO encryption_attestation SELECT (a).* FROM (SELECT jsonb_populate_record(t,"
        " jsonb_build_object('id', gen_random_uuid())) AS a FROM encryption_attestation t) s",
        [],
    ),
    "a checkpoint": ("INSERT INTO audit_checkpoint VALUES (99, '', '', '[]', now())", []),
    "a policy": (
        "INSERT INTO approvals_policy SELECT (p).* FROM (SELECT jsonb_populate_record(t,"
        " jsonb_build_object('id', gen_random_uuid(), 'number', 9, 'mfa_required', false)) AS p"
        " FROM approvals_policy t) s",
        [],
    ),
    "a vote of the asker": (
        "INSERT INTO approvals_vote (id, request_id, voter_id, person_id, asker_person_id, capacity, title,"
        " verdict, comment, digest, proof, cast_at) SELECT gen_random_uuid(), r.id, r.asker_id,"
        " r.asker_person_id, r.asker_person_id, 'security', '', 'approve', '', r.digest, '{}', now()"
        " FROM approvals_approvalrequest r",
        [],
    ),
}


@pytest.mark.parametrize("what", INSERTS)
def test_p2_the_web_inserts_no(web, badged, what):
    """P2, P3, P5, P10: what takes effect or backs a badge is not the web's to write."""
    statement, values = INSERTS[what]
    with pytest.raises(REFUSALS):
        web.execute(statement, values)


def forged_vote(web: Web, request: ApprovalRequest, voter: Any, proof: dict[str, Any]) -> None:
    """What somebody who holds the web process writes to make a request approved, bell included."""
    web.execute(
        "INSERT INTO approvals_vote (id, request_id, voter_id, person_id, asker_person_id, capacity, title,"
        " verdict, comment, digest, proof, cast_at) VALUES (gen_random_uuid(), %s, %s, %s, %s, 'security',"
        " '', 'approve', '', %s, %s, now())",
        [request.pk, voter.pk, voter.person_id, request.asker_person_id, request.digest, Jsonb(proof)],
    )
    web.execute(
        "UPDATE approvals_approvalrequest SET state = 'approved', decided_at = now(),"
        " execute_by = now() + interval '1 hour' WHERE id = %s",
        [request.pk],
    )


def ring(web: Web, task: Task, ref: uuid.UUID) -> Outbox:
    """Write an outbox row as the web may, and deliver its message."""
    row = uuid.uuid4()
    web.execute(
        "INSERT INTO audit_outbox (id, name, ref, due, ring_at, rings, attempts, failures, error, created_at)"
        " VALUES (%s, %s, %s, now(), now(), 0, 0, 0, '', now())",
        [row, task.value, ref],
    )
    found = Outbox.objects.get(pk=row)
    deliver(found)
    found.refresh_from_db()
    return found


PROOFS: dict[str, dict[str, Any]] = {
    "none": {},
    "a password where a second factor is demanded": {"factor": "password", "nonce": "n"},
    "a factor that does not exist": {"factor": "faith", "nonce": "n"},
    "a code, without an entry in the log": {"factor": "totp", "nonce": "n"},
    "a passkey that signed nothing": {"factor": "passkey", "nonce": "n", "credential": "AA", "response": {}},
}


@pytest.mark.parametrize("proof", PROOFS.values(), ids=PROOFS)
def test_p5_a_forged_vote_moves_nothing(web, people, pending, proof):
    """P5, P8: the vote and the state stand in the database; the worker counts for itself."""
    forged_vote(web, pending, people.dpo, proof)
    ring(web, Task.EXECUTE, pending.pk)
    pending.refresh_from_db()
    assert pending.state == State.STALE
    assert not PasswordVersion.objects.exists()
    assert not Rekey.objects.exists()
    assert logged("request.stale", pending.pk)
    ring(web, Task.EXECUTE, pending.pk)
    assert logged("message.refused", pending.pk)


def logged(event: str, subject: uuid.UUID) -> bool:
    return Entry.objects.filter(event=event, subject_id=str(subject)).exists()


MESSAGES = {
    Task.EXECUTE: "unknown",
    Task.REKEY_JOB: "no such step",
    Task.REKEY_ENDED: "no ended re-key of a request",
    Task.BACKUP: "no such session",
    Task.RESTORE: "no such session",
    Task.RETENTION: "no such job",
    Task.ERASE_SECRET: "no deleted password",
}


@pytest.mark.parametrize("task", MESSAGES)
def test_p5_a_forged_message_is_refused_by_name(web, task):
    """P5, P12: an outbox row that names nothing is done, once, and in the log."""
    ref = uuid.uuid4()
    row = ring(web, task, ref)
    entry = Entry.objects.get(event="message.refused", subject_id=str(ref))
    assert (entry.facts["task"], entry.facts["reason"]) == (task.value, MESSAGES[task])
    assert row.done_at is not None


@pytest.mark.parametrize("task", [Task.EXECUTE, Task.REKEY_JOB, Task.REKEY_ENDED])
def test_p2_a_message_ahead_of_the_decision_is_refused(web, pending, task):
    """P2: the request is real and pending; its name in a message makes nothing of it."""
    ring(web, task, pending.pk)
    assert logged("message.refused", pending.pk)
    assert not Rekey.objects.exists()


def test_p2_a_used_password_is_not_erased_by_a_message(web, badged):
    """P2, P11: nothing that opens something is erased because a message says so."""
    version = badged.rekey.version
    ring(web, Task.ERASE_SECRET, version.password_id)
    version.refresh_from_db()
    assert (version.erased_at, logged("message.refused", version.password_id)) == (None, True)


def test_p5_another_tasks_row_is_refused(web, pending):
    """P5: a row of one task delivered under the name of another."""
    row = Outbox.objects.create(name=Task.NOTIFY, ref=pending.pk, due=timezone.now(), ring_at=timezone.now())
    row.name = Task.EXECUTE
    deliver(row)
    assert Entry.objects.filter(event="message.refused", facts__reason="other_task").exists()


def test_a_row_of_no_task_moves_nothing(web):
    """P5: the sweep rings for names that are registered, and for nothing else."""
    statement = (
        "INSERT INTO audit_outbox (id, name, ref, due, ring_at, rings, attempts, failures, error, created_at)"
        " VALUES (gen_random_uuid(), 'os.system', gen_random_uuid(), now(), now(), 0, 0, 0, '', now())"
    )
    web.execute(statement)
    from audit.services import outbox

    assert outbox.sweep() == Outbox.objects.exclude(name="os.system").filter(done_at=None).count() == 0


def test_p10_a_second_delivery_of_everything_changes_nothing(web, badged):
    """P10, P11: each message once more, on a request that has ended."""
    before = (Attestation.objects.count(), list(RekeyJob.objects.values_list("fence", "state")))
    for task, ref in (
        (Task.EXECUTE, badged.pk),
        (Task.REKEY_JOB, badged.rekey.steps.get().pk),
        (Task.REKEY_ENDED, badged.rekey_id),
    ):
        ring(web, task, ref)
    assert (Attestation.objects.count(), list(RekeyJob.objects.values_list("fence", "state"))) == before
