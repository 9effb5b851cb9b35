"""P5: the one text that is shown, signed and executed; anything but its exact bytes is refused."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import rfc8785

from approvals import statement
from approvals.errors import Invalid
from tests.audit.evidence import document

SHOWN = json.loads(document.read()["statement"])
DATA = rfc8785.dumps(SHOWN)


def test_the_worked_example_reads_and_writes_the_same_bytes():
    assert statement.build(statement.parse(DATA)) == DATA


def test_who_asked_is_excluded_with_whom_they_stand_for():
    changed = SHOWN | {"asker": SHOWN["asker"] | {"on_behalf": "00000000-0000-4000-8000-000000000099"}}
    assert len(statement.parse(rfc8785.dumps(changed)).askers) == 2


def _without(key: str) -> dict[str, Any]:
    return {name: value for name, value in SHOWN.items() if name != key}


@pytest.mark.parametrize("key", sorted(SHOWN))
def test_a_statement_that_lacks_a_part_is_refused(key):
    with pytest.raises(Invalid):
        statement.parse(rfc8785.dumps(_without(key)))


@pytest.mark.parametrize(
    "changed",
    [
        {"more": 1},
        {"version": 2},
        {"type": "veeamsec-order"},
        {"kind": "deactivate_encryption"},
        {"kind": "unheard_of"},
        {"created": "2026-11-02 12:00:00"},
        {"created": "2026-11-02T12:00:00.5Z"},
        {"number": "1042"},
        {"request": "not a uuid"},
        {"asker": {"user": SHOWN["asker"]["user"]}},
        {"change": SHOWN["change"] | {"extra": True}},
        {"policy": {}},
        {"execute_hours": 1000},
    ],
)
def test_a_statement_that_says_otherwise_is_refused(changed):
    with pytest.raises(Invalid):
        statement.parse(rfc8785.dumps(SHOWN | changed))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"\xff",
        DATA + b" ",
        json.dumps(SHOWN).encode(),
        b"[" * 100_000,
        DATA.replace(b'"kind":', b'"kind":"delete_password","kind":'),
    ],
)
def test_other_bytes_are_refused(data):
    with pytest.raises(Invalid):
        statement.parse(data)


def test_a_statement_beyond_all_bounds_is_refused_unread(monkeypatch):
    monkeypatch.setattr(statement, "MAX_STATEMENT", 10)
    with pytest.raises(Invalid, match="too long"):
        statement.parse(DATA)


def test_times_are_written_in_whole_seconds_of_utc():
    assert statement.written(datetime(2026, 11, 2, 12, 0, 59, 999_999, UTC)) == "2026-11-02T12:00:59Z"


def test_the_procedure_is_named_by_text_and_questions():
    one = statement.procedure_of(1, "Ask.", ["Why?"])
    assert one != statement.procedure_of(1, "Ask.", ["Who?"])
    assert one != statement.procedure_of(1, "Tell.", ["Why?"])
