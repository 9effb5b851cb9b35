"""P12: an entry in the transaction of what it tells, a refusal in one of its own, or nothing at all."""

import hashlib
import json
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from audit import merkle, statement
from audit import services as audit
from audit.errors import AuditUnavailable, Refused
from audit.events import Event
from audit.models import Alarm, Entry, EntryName

SUBJECT = uuid4()


class Somebody:
    """An actor as accounts has them."""

    pk = UUID(int=1)
    person_id = UUID(int=2)

    def get_username(self) -> str:
        return "dora"


class TooLate(Refused):
    code = "expired"


DORA = Somebody()


def make_alarm(text: str = "done") -> Alarm:
    """Any change will do; this one needs no other app."""
    return Alarm.objects.create(kind="drift", severity="info", subject_type=str(uuid4()), text=text)


def act_and(*, raises: Exception | None = None, **facts: object) -> None:
    with audit.act(by=DORA, subject=SUBJECT):
        make_alarm()
        audit.record(Event.JOB_RUN, facts=facts)
        if raises:
            raise raises


def refuse_something(subject: object = SUBJECT, by: object = DORA, address: str = "") -> None:
    with audit.act(by=by, subject=subject, address=address):
        make_alarm()
        audit.record(Event.JOB_RUN)
        raise TooLate("Its time is over. Ask again.", job=SUBJECT)


def test_act_writes_its_change_and_its_entries(db):
    """P12: one entry of each transition."""
    with audit.act(by=DORA, subject=SUBJECT):
        make_alarm()
        audit.record(Event.JOB_RUN, facts={"files": 3})
        audit.record(Event.BACKUP_FINISHED)
    assert list(Entry.objects.order_by("sequence").values_list("event", flat=True)) == [
        "job.run",
        "backup.finished",
    ]


def test_entry_names_actor_person_and_subject_of_the_act(db):
    with audit.act(by=DORA, subject=("encryption.job", SUBJECT)):
        audit.record(Event.JOB_RUN)
    entry = Entry.objects.get()
    assert (entry.actor, entry.person, entry.subject_type, entry.subject_id) == (
        DORA.pk,
        DORA.person_id,
        "encryption.job",
        str(SUBJECT),
    )


def test_entry_may_name_another_subject_and_actor(db):
    with audit.act(by=DORA, subject=SUBJECT):
        audit.record(Event.JOB_RUN, subject="log", by=audit.WORKER)
    entry = Entry.objects.get()
    assert (entry.actor, entry.subject_type) == (audit.WORKER.pk, "log")


def test_entry_bytes_are_canonical_and_hashed(db):
    with audit.act(by=DORA, subject=SUBJECT):
        audit.record(Event.JOB_RUN, facts={"b": 1, "a": [True, "ö"]})
    entry = Entry.objects.get()
    assert statement.parse(bytes(entry.canonical))["facts"] == {"a": [True, "ö"], "b": 1}
    assert bytes(entry.leaf_hash) == merkle.leaf_hash(bytes(entry.canonical))


def test_entries_count_from_zero_without_a_gap(db):
    for _ in range(3):
        with audit.act(by=DORA, subject=SUBJECT):
            audit.record(Event.JOB_RUN)
    assert list(Entry.objects.order_by("sequence").values_list("sequence", flat=True)) == [0, 1, 2]


def test_name_stands_beside_the_entry_and_not_in_it(db):
    """P13: the log holds a salted commitment."""
    with audit.act(by=DORA, subject=SUBJECT):
        audit.record(Event.JOB_RUN, names={"subject": "Payroll"})
    entry = Entry.objects.get()
    row = entry.names.get(key="subject")
    body = json.loads(bytes(entry.canonical))
    assert b"Payroll" not in bytes(entry.canonical)
    assert body["names"]["subject"] == statement.commitment(bytes(row.salt), "Payroll")
    assert audit.name_of(entry) == "dora"


def test_name_of_a_part_of_the_system_needs_no_row(db):
    with audit.act(by=audit.WORKER, subject=SUBJECT):
        audit.record(Event.JOB_RUN)
    assert audit.name_of(Entry.objects.get()) == "worker"
    assert not EntryName.objects.exists()


def test_fact_that_is_no_json_is_a_programming_error(db):
    with pytest.raises(TypeError), audit.act(by=DORA, subject=SUBJECT):
        audit.record(Event.JOB_RUN, facts={"key": b"bytes"})


def test_refused_attempt_is_one_entry_and_its_change_is_gone(db):
    """P12: the refusal is recorded, what led to it is not."""
    with pytest.raises(TooLate):
        refuse_something()
    assert not Alarm.objects.exists()
    assert [entry.event for entry in Entry.objects.all()] == ["attempt.refused"]


def test_refused_attempt_says_what_was_tried_and_why_not(db):
    with pytest.raises(TooLate):
        refuse_something()
    assert Entry.objects.get().facts == {
        "code": "expired",
        "message": "Its time is over. Ask again.",
        "action": "tests.audit.test_log.refuse_something",
        "job": str(SUBJECT),
    }


def test_refusal_before_the_act_is_recorded_as_well(db):
    with pytest.raises(TooLate), audit.attempt(by=DORA, subject=SUBJECT):
        raise TooLate("Its time is over.")
    assert Entry.objects.get().event == Event.ATTEMPT_REFUSED


def test_other_error_leaves_neither_change_nor_entry(db):
    with pytest.raises(ZeroDivisionError):
        act_and(raises=ZeroDivisionError())
    assert not Entry.objects.exists()
    assert not Alarm.objects.exists()


def test_refusals_of_nobody_are_one_entry_a_minute_and_address(db):
    """P12: anonymous refusals are counted."""
    for _ in range(5):
        with pytest.raises(TooLate):
            refuse_something(by=None, address="192.0.2.7")
    with pytest.raises(TooLate):
        refuse_something(by=None, address="192.0.2.8")
    assert [entry.event for entry in Entry.objects.all()] == ["anonymous.refused"] * 2


def test_refusals_of_nobody_are_all_counted(db):
    audit.refuse_anonymous(address="192.0.2.7", code="not_authenticated", action="/jobs/")
    for _ in range(4):
        audit.refuse_anonymous(address="192.0.2.7", code="not_authenticated", action="/jobs/")
    address = hashlib.sha256(b"192.0.2.7").hexdigest()
    cache.delete(f"audit:anonymous:{address}:minute")
    audit.refuse_anonymous(address="192.0.2.7", code="not_authenticated", action="/jobs/")
    assert [entry.facts["count"] for entry in Entry.objects.order_by("sequence")] == [1, 5]


def test_address_of_a_refusal_can_be_erased(db):
    audit.refuse_anonymous(address="192.0.2.7", code="not_authenticated", action="/jobs/")
    assert b"192.0.2.7" not in bytes(Entry.objects.get().canonical)


@pytest.mark.django_db(transaction=True)
def test_record_outside_a_transaction_is_a_programming_error():
    with pytest.raises(TransactionManagementError):
        audit.record(Event.JOB_RUN, by=DORA)


@pytest.mark.django_db(transaction=True)
def test_record_in_the_admins_transaction_is_written_at_once():
    with transaction.atomic():
        audit.record(Event.JOB_CHANGED, subject=SUBJECT, by=DORA)
        assert Entry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_record_in_the_admins_transaction_goes_with_it():
    with transaction.atomic():
        audit.record(Event.JOB_CHANGED, subject=SUBJECT, by=DORA)
        transaction.set_rollback(True)
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_attempt_inside_a_transaction_is_a_programming_error():
    """A refusal recorded there would be rolled back with it."""
    with pytest.raises(RuntimeError), transaction.atomic(), audit.attempt(by=DORA, subject=SUBJECT):
        pass


@pytest.mark.django_db(transaction=True)
def test_act_inside_an_act_is_a_programming_error():
    with (
        pytest.raises(RuntimeError),
        audit.act(by=DORA, subject=SUBJECT),
        audit.act(by=DORA, subject=SUBJECT),
    ):
        pass


@pytest.mark.django_db(transaction=True)
def test_unwritable_log_stops_the_act():
    """P12: nothing happens that the log cannot tell."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry RENAME TO audit_gone")
    try:
        with pytest.raises(AuditUnavailable):
            act_and()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_gone RENAME TO audit_entry")
    assert not Alarm.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_unwritable_log_is_told_instead_of_the_refusal():
    """P12: a refusal that cannot be recorded fails as loudly as an act."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry RENAME TO audit_gone")
    try:
        with pytest.raises(AuditUnavailable):
            refuse_something()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_gone RENAME TO audit_entry")


@pytest.mark.django_db(transaction=True)
def test_entry_beyond_its_size_stops_the_act():
    with pytest.raises(AuditUnavailable):
        act_and(text="x" * statement.MAX_ENTRY)
    assert not Alarm.objects.exists()


def test_door_tells_of_its_own_refusal(db):
    """P12: a refusal that never became an attempt is an entry too."""
    audit.refuse(by=DORA, code="permission_denied", action="GET /api/v1/audit/entries/")
    entry = Entry.objects.get()
    assert (entry.event, entry.actor, entry.facts["code"]) == (
        "attempt.refused",
        DORA.pk,
        "permission_denied",
    )


def test_door_that_refuses_nobody_in_particular_counts(db):
    for _ in range(3):
        audit.refuse(by=None, code="not_authenticated", action="GET /api/v1/jobs/", address="192.0.2.7")
    assert [entry.event for entry in Entry.objects.all()] == ["anonymous.refused"]
