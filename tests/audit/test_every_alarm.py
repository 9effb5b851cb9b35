"""Every kind of alarm has a test that raises it and sees it end; the mark makes that test prove both."""

import ast

import pytest

from audit import services as audit
from audit.alarms import Kind
from audit.models import Alarm
from tests.alarms import assert_ended
from tests.house.sources import ROOT, files

SUBJECT = ("encryption.job", "1")


def marked() -> dict[str, list[str]]:
    """The tests by the kind of alarm that they are marked with."""
    found: dict[str, list[str]] = {}
    for path in files(".py"):
        if not path.is_relative_to(ROOT / "tests") or not path.name.startswith("test_"):
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for mark in node.decorator_list:
                    if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.alarm":
                        found.setdefault(ast.literal_eval(mark.args[0]), []).append(
                            f"{path.name}::{node.name}"
                        )
    return found


def raise_one() -> None:
    with audit.act(by=audit.WORKER, subject=SUBJECT):
        audit.raise_alarm_within(Kind.DRIFT, SUBJECT, Alarm.Severity.WARNING, "Another one.")


def test_every_kind_is_raised_and_ends_in_a_test():
    assert sorted(marked()) == sorted(Kind)


@pytest.mark.django_db
def test_a_mark_holds_of_an_alarm_that_ended():
    raise_one()
    with audit.act(by=audit.WORKER, subject=SUBJECT):
        audit.resolve_alarm_within(Kind.DRIFT, SUBJECT)
    assert_ended("drift")


@pytest.mark.django_db
def test_a_mark_fails_without_the_alarm():
    with pytest.raises(AssertionError, match="never raised"):
        assert_ended("drift")


@pytest.mark.django_db
def test_a_mark_fails_while_the_alarm_is_open():
    raise_one()
    with pytest.raises(AssertionError, match="did not end"):
        assert_ended("drift")
