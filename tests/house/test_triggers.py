"""The database's own refusals are there, and their absence is found."""

import pytest
from django.core.checks import run_checks
from django.db import connection

from veeamsec.roles import TriggersDiffer, assert_triggers, missing_triggers, trigger_modules

pytestmark = pytest.mark.django_db


def drop_one() -> str:
    table, name = sorted(trigger_modules()[0].TRIGGER_NAMES)[0]
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TRIGGER "{name}" ON "{table}"')
    return f"{table}.{name}"


def test_no_trigger_is_missing():
    assert missing_triggers() == []


def test_every_guarded_app_names_its_triggers():
    assert {module.__name__ for module in trigger_modules()} == {
        f"{app}.triggers"
        for app in ("audit", "accounts", "encryption", "recovery", "approvals", "compliance")
    }


def test_a_dropped_trigger_is_found_by_the_check():
    name = drop_one()
    assert [message.id for message in run_checks(databases=["default"]) if name in message.msg] == [
        "veeamsec.E001"
    ]


def test_a_disabled_trigger_is_found():
    table, name = sorted(trigger_modules()[0].TRIGGER_NAMES)[0]
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER "{name}"')
    assert missing_triggers() == [f"{table}.{name}"]


def test_nothing_starts_without_a_trigger():
    name = drop_one()
    with pytest.raises(TriggersDiffer, match=name):
        assert_triggers()
