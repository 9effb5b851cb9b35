"""The registers: passwords with their restore points, the analyzer's result, names and their retention."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Person
from audit.models import EntryName
from compliance.checks import CHECKS
from compliance.models import Assessment, Finding
from compliance.reports import catalogue, formats
from encryption.models import RestorePoint

pytestmark = pytest.mark.django_db


def told(name: str, viewer: Any) -> dict[str, Any]:
    return formats.as_json(catalogue.kind_of(name).build(viewer, {}, timezone.now()))


def test_the_register_says_what_needs_each_version(executed, job, people):
    report = told("register", people.auditor)
    [version] = report["tables"]["versions"]
    assert (version["password"], version["points"], version["value"]) == ("Hall 2026", 1, "sealed here")
    assert version["request"] == str(executed)
    [copy] = report["tables"]["copies"]
    assert (copy["custodian"], copy["place"], copy["proved_at"]) == ("Dora", "bank safe", None)
    assert report["tables"]["points"][0]["opens_with"] == "Hall 2026, version 1"
    RestorePoint.objects.update(dropped_at=timezone.now())
    assert told("register", people.auditor)["facts"]["needed"] == 0


def test_names_are_counted_and_an_erased_one_is_told(executed, people):
    before = told("personal-data", people.auditor)
    kinds = {row["what"]: row["count"] for row in before["tables"]["held"]}
    assert kinds["Persons: name, e-mail"] == Person.objects.count()
    assert before["facts"]["erased"] == 0
    held = EntryName.objects.filter(name__isnull=False)
    assert kinds["Names in the log"] == held.count() > 0
    held.filter(pk=held.first().pk).update(name=None, salt=None)
    assert told("personal-data", people.auditor)["facts"]["erased"] == 1


def test_before_a_run_of_the_analyzer_that_is_said(people):
    report = told("analyzer", people.auditor)
    assert report["tables"] == {"checks": []}


def test_the_last_run_is_told_with_what_helps(executed, people):
    code = next(iter(CHECKS))
    run = Assessment.objects.create(cause="asked", done_at=timezone.now(), counts={"not_implemented": 1})
    Finding.objects.create(
        assessment=run,
        code="of.another.version",
        found="not_implemented",
        severity="high",
        summary="No.",
        total=4,
    )
    Finding.objects.create(
        assessment=run,
        code=code,
        found="not_implemented",
        severity="high",
        summary="3 of 4.",
        total=4,
        good=3,
    )
    report = told("analyzer", people.auditor)
    assert report["facts"]["not_implemented"] == 2
    assert {row["total"] for row in report["tables"]["checks"]} == {4}
    assert report["tables"]["runs"][0]["not_implemented"] == 1
    risks = told("governance", people.auditor)["tables"]["open_risks"]
    assert [row["severity"] for row in risks if "3 of 4." in row["risk"]] == ["critical"]
