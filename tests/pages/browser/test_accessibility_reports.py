"""The pages of reports: nothing that axe or the browser complains of."""

from typing import Any

import pytest
from django.urls import reverse

from compliance.models import Report
from compliance.reports import pdf
from compliance.services import reporting, schedules
from tests.approvals.conftest import approve, reject, roster, run, work  # noqa: F401
from tests.pages.browser.test_accessibility import faults

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reported(
    people: Any,
    job: Any,
    make_job: Any,
    ask: Any,
    roster: None,  # noqa: F811
    monkeypatch: Any,
) -> dict[str, str]:
    """Every report with something in it, files in each state, and one that is sent."""
    monkeypatch.setattr(pdf, "pdf_of", lambda html: b"%PDF-1.7")
    done = work(approve(people.dpo, ask()))
    run(job)
    reject(
        people.ciso, ask(make_job("A job whose name is longer than anybody would like to read in a table"))
    )
    schedules.make("governance", "month", [people.auditor.pk, people.dpo.pk], by=people.dpo)
    period = {"since": "2026-01-01", "until": "2030-01-01"}
    files = [reporting.order("governance", period, by=people.dpo) for _ in range(2)]
    reporting.make(files[0].pk)
    failed = reporting.order("request", {"request": str(done)}, by=people.dpo)
    Report.objects.filter(pk=failed.pk).update(state="failed", error="This machine lacks what is needed.")
    return {
        "list": reverse("reports"),
        "governance": reverse("report", args=["governance"]) + "?since=2026-01-01&until=2030-01-01",
        "fault": reverse("report", args=["governance"]) + "?since=2030-01-01&until=2026-01-01",
        "breach": reverse("report", args=["breach"]) + f"?job={job.pk}&day=2026-11-25",
        "request": reverse("report", args=["request"]) + f"?request={done}",
        **{name: reverse("report", args=[name]) for name in ("register", "personal-data")},
        "made": reverse("report_made", args=[files[0].pk]),
        "waiting": reverse("report_made", args=[files[1].pk]),
        "failed": reverse("report_made", args=[failed.pk]),
        "schedule": reverse("report_schedule_new"),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_reports_have_no_fault(people, reported, open_page, complaints, scheme):
    page = open_page(people.dpo, color_scheme=scheme)
    # What a scheme changes is seen on a few.
    shown = (
        reported if scheme == "light" else {name: reported[name] for name in ("list", "governance", "failed")}
    )
    found = {name: fault for name, url in shown.items() if (fault := faults(page, url))}
    assert found == {}
    assert [one for one in complaints if "400" not in one] == []
