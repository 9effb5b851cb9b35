"""A database older than what was signed of it: found, acknowledged by two, and the log goes on."""

import shutil
import uuid
from dataclasses import dataclass

import pytest
from django.db import connection, transaction

from audit import services as audit
from audit.errors import Later, LogAltered
from audit.events import Event
from audit.models import Alarm, Checkpoint, Entry
from audit.services import outside, rollbacks, verification


@dataclass(frozen=True)
class Actor:
    pk: uuid.UUID
    person_id: uuid.UUID

    def get_username(self) -> str:
        return "dora"


def actor() -> Actor:
    return Actor(uuid.uuid4(), uuid.uuid4())


def happen(count: int, event: Event = Event.JOB_CHANGED) -> None:
    for _ in range(count):
        with audit.act(by=audit.CONSOLE, subject="job"):
            audit.record(event)


def forget(kept: int) -> None:
    """What restoring an older copy of the database does."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        Checkpoint.objects.filter(size__gt=kept).delete()
        cursor.execute("DELETE FROM audit_entryname WHERE entry_id >= %s", [kept])
        cursor.execute("DELETE FROM audit_entry WHERE sequence >= %s", [kept])


@pytest.fixture
def older(transactional_db, vsec_home):
    """Five entries signed, then three more signed, of which the database lost the last three."""
    happen(5)
    audit.sign_checkpoint()
    happen(3)
    audit.sign_checkpoint()
    forget(5)
    return vsec_home


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_while_both_agree(vsec_home):
    happen(2)
    audit.sign_checkpoint()
    happen(2)
    assert rollbacks.find() is None


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_before_the_first_note(vsec_home):
    assert rollbacks.find() is None


def test_an_older_database_is_found(older):
    found = rollbacks.find()
    assert (found.signed, found.kept, len(found.notes)) == (8, 5, 1)


def test_an_older_database_is_found_when_the_log_grew_again(older):
    happen(6, Event.JOB_RUN)
    found = rollbacks.find()
    assert (found.signed, found.kept) == (8, 5)


def test_an_older_database_that_grew_again_is_called_so(older):
    happen(6, Event.JOB_RUN)
    with pytest.raises(LogAltered, match="older copy"):
        audit.sign_checkpoint()
    assert Alarm.objects.get().kind == "log.rolled_back"


def test_work_waits(older):
    with pytest.raises(Later):
        audit.wait_while_older()


def test_one_person_is_not_enough(older):
    assert rollbacks.acknowledge(rollbacks.find(), by=actor()) == 1
    assert rollbacks.find() is not None


def test_one_person_twice_is_not_enough(older):
    dora = actor()
    rollbacks.acknowledge(rollbacks.find(), by=dora)
    assert rollbacks.acknowledge(rollbacks.find(), by=dora) == 1


@pytest.mark.alarm("log.rolled_back")
def test_two_persons_let_the_log_go_on(older):
    with pytest.raises(LogAltered):
        audit.sign_checkpoint()
    for _ in range(2):
        rollbacks.acknowledge(rollbacks.find(), by=actor())
    assert audit.sign_checkpoint() is not None
    assert (verification.verify().findings, Alarm.objects.exclude(state="resolved").count()) == ((), 0)


def test_the_log_tells_who_acknowledged_what(older):
    root = rollbacks.find().root
    for _ in range(2):
        rollbacks.acknowledge(rollbacks.find(), by=actor())
    entries = Entry.objects.filter(event=Event.LOG_ROLLBACK_ACKNOWLEDGED)
    assert [entry.facts for entry in entries] == [{"kept": 5, "root": root, "signed": 8}] * 2


def test_the_lost_branch_is_kept_aside(older):
    found = rollbacks.find()
    for _ in range(2):
        rollbacks.acknowledge(found, by=actor())
    aside = outside.folder() / "abandoned" / found.root[:16]
    assert [path.name for path in aside.iterdir()] == [path.name for path in found.notes]


def test_a_forged_acknowledgement_does_not_count(older):
    found = rollbacks.find()
    rollbacks.acknowledge(found, by=actor())
    [true] = outside.acknowledgements(found.root).iterdir()
    text = true.read_text().replace('"payload": "', '"payload": "AAAA')
    outside.write_acknowledgement(found.root, str(uuid.uuid4()), text)
    shutil.copy(true, true.with_name(f"{uuid.uuid4()}.json"))
    assert len(rollbacks.acknowledged_by(found)) == 1
