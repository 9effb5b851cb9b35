"""P12: altering, dropping, swapping, inserting or rolling back entries is found, and it is said where."""

from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit import keys, note, selectors
from audit import services as audit
from audit.alarms import Kind
from audit.errors import KeyUnavailable, LogAltered
from audit.models import Alarm, Entry
from audit.services import outside, verification

from .conftest import new_key

pytestmark = [pytest.mark.django_db]
SIZE = 11


@pytest.fixture
def log(signing, write):
    """Eleven entries, sealed at five and at eleven."""
    write(5)
    audit.sign_checkpoint()
    write(SIZE - 5)
    audit.sign_checkpoint()


def places() -> list[str]:
    return [finding.where for finding in audit.verify().findings]


def test_untouched_log_verifies(log):
    result = audit.verify()
    assert (result.findings, result.size, result.checkpoints) == ((), SIZE, 4)


def test_empty_log_verifies(signing):
    assert audit.verify().findings == ()


@pytest.mark.parametrize("number", range(SIZE))
def test_flipped_byte_is_found_in_its_entry(log, tamper, number):
    length = len(Entry.objects.get(pk=number).canonical)
    at = number * (length // SIZE)
    tamper(
        f"UPDATE audit_entry SET canonical = set_byte(canonical, {at}, get_byte(canonical, {at}) # 1)"
        f" WHERE sequence = {number}"
    )
    assert f"entry {number}" in places()


def test_flip_of_any_byte_is_found(log, tamper):
    """Every byte of one entry, one after the other."""
    canonical = bytes(Entry.objects.get(pk=3).canonical)
    flip = "UPDATE audit_entry SET canonical = set_byte(canonical, {0}, get_byte(canonical, {0}) # 1)"
    flip += " WHERE sequence = 3"
    for at in range(len(canonical)):
        tamper(flip.format(at))
        assert places(), at
        tamper(flip.format(at))


@pytest.mark.parametrize(
    "change",
    [
        "event = 'job.deleted'",
        "actor = NULL",
        "person = '00000000-0000-4000-8000-00000000000f'",
        "subject_id = ''",
        "subject_type = 'accounts.user'",
        "facts = '{}'",
        "time = time + interval '1 second'",
        "leaf_hash = sha256('x')",
    ],
)
def test_changed_column_is_found(log, tamper, change):
    """Pages show the columns, so they must say what was signed."""
    tamper(f"UPDATE audit_entry SET {change} WHERE sequence = 4")
    assert places() == ["entry 4"]


@pytest.mark.parametrize("number", [0, 5, SIZE - 1], ids=["first", "middle", "last"])
def test_deleted_entry_is_found(log, tamper, number):
    tamper(
        f"DELETE FROM audit_entryname WHERE entry_id = {number}",
        f"DELETE FROM audit_entry WHERE sequence = {number}",
    )
    assert places()


@pytest.mark.parametrize("number", [0, 5, SIZE - 1], ids=["first", "middle", "last"])
def test_deleted_entry_is_found_though_the_rest_was_renumbered(log, tamper, number):
    tamper(
        f"DELETE FROM audit_entryname WHERE entry_id >= {number}",
        f"DELETE FROM audit_entry WHERE sequence = {number}",
        f"UPDATE audit_entry SET sequence = sequence - 1 WHERE sequence > {number}",
    )
    assert places()


def test_swapped_entries_are_found(log, tamper):
    tamper(
        "UPDATE audit_entry SET sequence = 99 WHERE sequence = 2",
        "UPDATE audit_entry SET sequence = 2 WHERE sequence = 3",
        "UPDATE audit_entry SET sequence = 3 WHERE sequence = 99",
    )
    assert {"entry 2", "entry 3"} <= set(places())


def test_inserted_entry_is_found(log, tamper):
    tamper(
        f"INSERT INTO audit_entry SELECT {SIZE} + 1, time, event, actor, person, subject_type, subject_id,"
        " facts, canonical, leaf_hash FROM audit_entry WHERE sequence = 1"
    )
    assert places()


def test_rewritten_log_with_right_hashes_is_found_by_the_checkpoints(log, tamper):
    """Whoever rewrites entry, columns and hash alike still meets what was signed."""
    tamper(
        "UPDATE audit_entry SET facts = '{}', canonical = convert_to(regexp_replace("
        "convert_from(canonical, 'utf8'), '\"facts\":{[^}]*}', '\"facts\":{}'), 'utf8') WHERE sequence = 2",
        "UPDATE audit_entry SET leaf_hash = sha256('\\x00'::bytea || canonical) WHERE sequence = 2",
    )
    assert places() == ["checkpoint 5", f"note {5:019}.note", f"checkpoint {SIZE}", f"note {SIZE:019}.note"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entryname SET name = 'x' WHERE entry_id = 4 AND key = 'subject'",
        "DELETE FROM audit_entryname WHERE entry_id = 4 AND key = 'subject'",
        "INSERT INTO audit_entryname (entry_id, key, name, salt) VALUES (4, 'other', 'x', 'y')",
        "UPDATE audit_entryname SET salt = 'x' WHERE entry_id = 4 AND key = 'subject'",
    ],
)
def test_changed_name_is_found(log, tamper, change):
    tamper(change)
    assert places() == ["entry 4"]


def test_rolled_back_database_is_found_by_the_notes_outside(log, tamper):
    """An older copy of the database is whole in itself."""
    tamper(
        "DELETE FROM audit_entryname WHERE entry_id >= 5",
        "DELETE FROM audit_entry WHERE sequence >= 5",
        "DELETE FROM audit_checkpoint WHERE size > 5",
    )
    assert audit.verify().findings[0].what == "11 entries were signed, the log ends at 5"


def test_log_that_went_another_way_after_a_rollback_is_found(log, tamper, write):
    tamper(
        "DELETE FROM audit_entryname WHERE entry_id >= 5",
        "DELETE FROM audit_entry WHERE sequence >= 5",
        "DELETE FROM audit_checkpoint WHERE size > 5",
    )
    write(8)
    assert places() == [f"note {SIZE:019}.note"]


def test_checkpoint_of_another_key_is_found(log, tamper, signing, tmp_path):
    new_key(tmp_path / "keys")
    assert len(places()) == 4


def test_note_of_equal_size_and_another_root_is_found(log, signing):
    """Both are kept as evidence."""
    head = note.Head(keys.log_verifier(signing.public_key()).name, SIZE, bytes(32))
    path = outside.newest()
    path.unlink()
    path.write_text(note.sign(head.text, head.origin, signing))
    assert places() == [f"note {SIZE:019}.note"]


def test_contradiction_with_the_outside_is_not_signed_over(log, tamper, write):
    """A log must never sign two heads that contradict each other."""
    tamper(
        "DELETE FROM audit_entryname WHERE entry_id >= 5",
        "DELETE FROM audit_entry WHERE sequence >= 5",
        "DELETE FROM audit_checkpoint WHERE size > 5",
    )
    write(9)
    with pytest.raises(LogAltered):
        audit.sign_checkpoint()
    assert Alarm.objects.get().kind == Kind.LOG_ROLLED_BACK


def test_older_copy_of_the_database_is_not_signed(log, tamper):
    tamper(
        "DELETE FROM audit_entryname WHERE entry_id >= 5",
        "DELETE FROM audit_entry WHERE sequence >= 5",
        "DELETE FROM audit_checkpoint WHERE size > 5",
    )
    with pytest.raises(LogAltered):
        audit.sign_checkpoint()
    assert Alarm.objects.get().kind == Kind.LOG_ROLLED_BACK


def test_altered_checkpoint_is_not_built_upon(log, tamper, write):
    tamper(f"UPDATE audit_checkpoint SET frontier = '[]' WHERE size = {SIZE}")
    write(1)
    with pytest.raises(LogAltered):
        audit.sign_checkpoint()


@pytest.mark.alarm("log.altered")
def test_findings_raise_an_alarm_once_and_a_clean_log_ends_it(log, tamper):
    tamper("UPDATE audit_entry SET actor = NULL WHERE sequence = 4")
    audit.verify_and_tell()
    audit.verify_and_tell()
    assert Alarm.objects.get(kind=Kind.LOG_ALTERED).state == Alarm.State.RAISED
    actor = audit.CONSOLE.pk
    tamper(f"UPDATE audit_entry SET actor = '{actor}' WHERE sequence = 4")
    audit.verify_and_tell()
    assert Alarm.objects.get(kind=Kind.LOG_ALTERED).state == Alarm.State.RESOLVED


def test_last_verification_is_kept_for_pages(log):
    result = audit.verify_and_tell()
    assert selectors.last_verification() == result


def test_long_verification_is_not_repeated_at_once(log, clock, monkeypatch):
    first = audit.verify_and_tell()
    monkeypatch.setattr(selectors, "last_verification", lambda: replace(first, seconds=60))
    clock.shift(20 * 60 - 1)
    assert verification.verify_when_due().at == first.at
    clock.shift(2)
    assert verification.verify_when_due().at > first.at


def test_verification_before_any_is_none():
    assert selectors.last_verification() is None


def test_command_says_that_the_log_is_whole(log):
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert f"{SIZE} entries, 4 checkpoints" in out.getvalue()


def test_command_ends_with_an_error_and_says_where(log, tamper):
    tamper("UPDATE audit_entry SET actor = NULL WHERE sequence = 4")
    told = StringIO()
    with pytest.raises(CommandError) as raised:
        call_command("verify_audit", stderr=told)
    assert "entry 4:" in told.getvalue()
    assert raised.value.returncode == 1


def test_verification_without_a_public_key_says_so(tmp_path, settings):
    settings.PUBLIC_KEYS = tmp_path
    with pytest.raises(KeyUnavailable):
        audit.verify()


def test_verification_writes_nothing(log):
    with CaptureQueriesContext(connection) as told:
        audit.verify()
    assert {query["sql"].split()[0] for query in told} <= {"SELECT", "DECLARE", "FETCH", "CLOSE"}
