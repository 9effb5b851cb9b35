"""P12: the database itself keeps the log append-only, for every role and for the owner too."""

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from audit import services as audit
from audit.models import Entry, EntryName
from audit.triggers import TRIGGER_NAMES

pytestmark = pytest.mark.django_db
TABLES = ["audit_entry", "audit_entryname", "audit_checkpoint"]
ENTRY = "(sequence, time, event, subject_type, subject_id, facts, canonical, leaf_hash)"
COLUMNS = {"audit_entry": "event", "audit_entryname": "key", "audit_checkpoint": "note"}


def changes(table: str) -> list[str]:
    return [f"UPDATE {table} SET {COLUMNS[table]} = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"]


@pytest.mark.parametrize("role", ["web", "worker"])
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", range(3), ids=["update", "delete", "truncate"])
def test_role_has_no_right_to_rewrite(as_role, role, table, verb):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(role).execute(changes(table)[verb])


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", range(1, 3), ids=["delete", "truncate"])
def test_owner_is_refused_by_the_trigger(as_role, table, verb):
    with pytest.raises(psycopg.errors.CheckViolation):
        as_role("owner").execute(changes(table)[verb])


@pytest.mark.parametrize("table", ["audit_entry", "audit_checkpoint"])
def test_owner_cannot_update(as_role, table):
    with pytest.raises(psycopg.errors.CheckViolation):
        as_role("owner").execute(changes(table)[0])


def test_web_has_no_right_to_sign_checkpoints(as_role):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("web").execute(
            "INSERT INTO audit_checkpoint (size, root, note, frontier, time) VALUES (1,'','','[]',now())"
        )


def test_web_has_no_right_to_forget_work(as_role):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("web").execute("DELETE FROM audit_outbox")


def test_web_has_no_right_to_switch_triggers_off(as_role):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("web").execute("SET session_replication_role = replica")


@pytest.mark.parametrize("role", ["web", "worker"])
def test_role_may_append(as_role, role):
    bytes_ = b"{}"
    with as_role(role).transaction(force_rollback=True) as held:
        held.connection.execute(
            f"INSERT INTO audit_entry {ENTRY}"
            " VALUES (0, now(), 'x', '', '', '{}', %s, sha256('\\x00'::bytea || %s))",
            [bytes_, bytes_],
        )


def insert(sequence: int, leaf: str = "sha256('\\x007b7d'::bytea)") -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO audit_entry {ENTRY} VALUES (%s, now(), 'x', '', '', '{{}}', '{{}}', {leaf})",
            [sequence],
        )


def test_entry_after_a_gap_is_refused(write):
    write(2)
    with pytest.raises(IntegrityError, match="without a gap"):
        insert(3)


def test_entry_that_follows_is_taken(write):
    write(2)
    insert(2)
    assert Entry.objects.count() == 3


def test_entry_with_another_leaf_hash_is_refused(write):
    with pytest.raises(IntegrityError, match="leaf hash"):
        insert(0, "sha256('x')")


def test_checkpoint_smaller_than_the_last_is_refused(signing, write, as_role):
    write(3)
    audit.sign_checkpoint()
    with pytest.raises(IntegrityError, match="as it is"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_checkpoint (size, root, note, frontier, time) VALUES (2,'','','[]',now())"
        )


def test_checkpoint_beyond_the_log_is_refused(write):
    write(3)
    with pytest.raises(IntegrityError, match="as it is"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_checkpoint (size, root, note, frontier, time) VALUES (4,'','','[]',now())"
        )


def test_name_can_be_erased(write):
    """P13: names can be forgotten."""
    write(1)
    EntryName.objects.update(name=None, salt=None)
    assert EntryName.objects.get().name is None


@pytest.mark.parametrize(
    "change", [{"name": "x"}, {"key": "x"}, {"name": None, "salt": None, "key": "x"}, {"name": None}]
)
def test_name_cannot_be_changed(write, change):
    write(1)
    with pytest.raises(IntegrityError), transaction.atomic():
        EntryName.objects.update(**change)


@pytest.mark.parametrize("role", ["web", "worker"])
def test_role_has_no_right_to_erase_names(as_role, role):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(role).execute("UPDATE audit_entryname SET name = NULL, salt = NULL")


def test_every_named_trigger_is_there():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT t.tgisinternal AND t.tgenabled = 'O'"
        )
        assert set(cursor.fetchall()) >= TRIGGER_NAMES
