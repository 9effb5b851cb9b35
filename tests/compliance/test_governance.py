"""The governance report: every figure from real requests, votes, runs and signs."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from approvals.errors import OwnRequest
from approvals.services import requests
from compliance.errors import Invalid
from compliance.reports import formats, governance
from compliance.reports.document import Document
from compliance.reports.period import Period
from encryption.models import Drift
from tests.approvals.conftest import approve, new_policy

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(mixed, people) -> Document:
    return governance.build(people.auditor, {}, timezone.now())


def fact(report: Document, key: str) -> Any:
    return formats.as_json(report)["facts"][key]


def rows(report: Document, slug: str) -> list[dict[str, Any]]:
    return formats.as_json(report)["tables"][slug]


def test_what_was_asked_is_counted_by_its_end(report):
    counts = {
        "asked": 4,
        "approved_by_security": 1,
        "approved_by_administrators": 1,
        "rejected": 1,
        "open": 1,
        "executed": 2,
    }
    assert {key: fact(report, key) for key in counts} == counts
    row = rows(report, "requests")[0]
    assert (row["asked_by"], row["decided_by"], row["verdict"]) == (
        "Olga",
        "Dora · Security · DPO",
        "approved",
    )
    assert (
        sum(rows(report, "by_month")[-1][name] for name in ("with_Security", "rejected", "not_decided")) == 3
    )


def test_half_a_decision_that_ended_otherwise_was_none(people, roster, ask):
    """One consent of two, then taken back: nobody approved it, and no report says so."""
    new_policy(quorum=2)
    request = ask()
    approve(people.dpo, request)
    requests.withdraw(request.pk, by=people.operator, digest=request.digest)
    report = governance.build(people.auditor, {}, timezone.now())
    assert (fact(report, "approved_by_security"), fact(report, "median_hours")) == (0, None)
    assert [row["verdict"] for row in rows(report, "requests")] == [""]
    assert rows(report, "by_month")[-1]["not_decided"] == 1
    request.refresh_from_db()
    assert request.decided_at is None


def test_a_request_outside_the_period_is_left_out(executed, people):
    day = (timezone.now() - timedelta(days=10)).date().isoformat()
    early = governance.build(people.auditor, {"since": "2026-01-01", "until": day}, timezone.now())
    assert fact(early, "asked") == 0


def test_badges_and_what_stands_against_them(report):
    signs = {row["job"]: row["sign"] for row in rows(report, "badges")}
    assert (fact(report, "full_badges"), signs["Files"]) == (1, "Approved by security")
    assert signs["Mail"] == "Approved by an administrator"
    alone = [row for row in rows(report, "exceptions") if row["what"] == "Approved by administrators alone"]
    assert [row["about"].partition(", ")[2] for row in alone] == ["Mail"]
    assert {"Web", "Mail"} <= {row["about"] for row in rows(report, "open_risks")}


def test_a_refused_attempt_is_an_exception(people, pending):
    with pytest.raises(OwnRequest):
        approve(people.second_account, pending)
    report = governance.build(people.auditor, {}, timezone.now())
    assert ("Refused attempts", "own_request") in {
        (row["what"], row["about"]) for row in rows(report, "exceptions")
    }


def test_an_open_drift_is_an_exception_and_takes_the_badge(executed, job, people):
    Drift.objects.create(job=job, what=Drift.What.KEYRING_CHANGED)
    report = governance.build(people.auditor, {}, timezone.now())
    assert "Changed, not approved" in {row["what"] for row in rows(report, "exceptions")}
    assert fact(report, "full_badges") == 0


def test_the_procedure_the_controls_and_the_checkpoint_are_told(report):
    row = rows(report, "procedure")[0]
    assert row["answered"] == rows(report, "policies")[0]["questions"] > 0
    told = str(formats.as_json(report))
    assert "This supports the controls below" in told
    assert "certified" not in told
    assert "compliant" not in told
    assert fact(report, "checkpoint_size") > 0


@pytest.mark.parametrize(
    "wanted",
    [
        {"since": "2026-11-02", "until": "2026-11-01"},
        {"since": "yesterday"},
        {"since": "1900-01-01", "until": "2026-01-01"},
        {"until": "2026-13-01"},
        {"until": "0001-01-01"},
    ],
)
def test_a_period_that_is_none_is_refused(people, wanted):
    with pytest.raises(Invalid):
        governance.build(people.auditor, wanted, timezone.now())


def test_who_may_see_nothing_reads_of_nothing(executed, people):
    report = governance.build(people.nobody, {}, timezone.now())
    assert (fact(report, "asked"), fact(report, "jobs")) == (0, 0)


def test_a_period_is_drawn_by_months_and_a_long_one_by_quarters():
    short = Period(date(2026, 1, 31), date(2026, 3, 1)).steps()
    assert [label for label, _, _ in short] == ["Jan 26", "Feb 26", "Mar 26"]
    steps = Period(date(2024, 2, 10), date(2026, 5, 1)).steps()
    assert [label for label, _, _ in steps] == [
        *(f"Q{quarter} {year}" for year in (24, 25) for quarter in (1, 2, 3, 4)),
        "Q1 26",
        "Q2 26",
    ]
    assert all(end == begin for (_, _, end), (_, begin, _) in pairwise(steps))
