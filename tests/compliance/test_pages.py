"""The pages and the API of reports: what people see, and what they take away."""

import csv
import io

import pytest
from django.urls import reverse

from compliance.models import Report
from compliance.reports import pdf
from compliance.services import reporting
from tests.pages.conftest import as_user

pytestmark = pytest.mark.django_db


def test_a_report_is_shown_with_its_downloads(pending, people):
    page = as_user(people.auditor).get(reverse("report", args=["governance"]), {"since": "2026-06-01"})
    told = page.content.decode()
    assert page.status_code == 400  # half a period
    page = as_user(people.auditor).get(
        reverse("report", args=["governance"]), {"since": "2026-06-01", "until": "2030-01-01"}
    )
    told = page.content.decode()
    assert page.status_code == 200
    assert str(pending) in told
    assert "/reports/governance/csv/?since=2026-06-01&amp;until=2030-01-01&amp;table=requests" in told
    assert " style=" not in told


def test_a_name_that_is_a_formula_is_none_in_the_csv(ask, make_job, people):
    ask(make_job("=HYPERLINK(1)"))
    answer = as_user(people.auditor).get(reverse("report_csv", args=["governance"]), {"table": "requests"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert answer["Content-Disposition"] == 'attachment; filename="veeamsec-governance-requests.csv"'
    assert rows[-1]["targets"] == "'=HYPERLINK(1)"


def test_a_period_that_is_none_is_told_on_the_form(people):
    asked = {"since": "2026-02-01", "until": "2026-01-01"}
    page = as_user(people.dpo).get(reverse("report", args=["governance"]), asked)
    assert (page.status_code, "ends before it begins" in page.content.decode()) == (400, True)


def test_a_file_from_the_page_to_the_download(people, monkeypatch):
    monkeypatch.setattr(pdf, "pdf_of", lambda html: b"%PDF-1.7")
    browser = as_user(people.dpo)
    led = browser.post(
        reverse("report_make", args=["governance"]), {"since": "2026-10-01", "until": "2026-10-31"}
    )
    report = Report.objects.get()
    assert led["Location"] == reverse("report_made", args=[report.pk])
    assert browser.get(reverse("report_progress", args=[report.pk])).status_code == 200
    reporting.make(report.pk)
    assert browser.get(reverse("report_progress", args=[report.pk])).status_code == 286
    answer = browser.get(reverse("report_file", args=[report.pk]))
    assert (answer["Content-Type"], answer.content) == ("application/pdf", b"%PDF-1.7")
    assert as_user(people.auditor).get(reverse("report_file", args=[report.pk])).status_code == 404


def test_a_mail_is_asked_for_and_ended_on_the_pages(people):
    browser = as_user(people.dpo)
    fields = {"report": "governance", "every": "week", "recipients": [str(people.auditor.pk)]}
    assert browser.post(reverse("report_schedule_new"), fields).status_code == 302
    told = browser.get(reverse("reports")).content.decode()
    assert "Every week, to Aude" in told
    [found] = reporting.selectors.schedules()
    browser.post(reverse("report_schedule_end", args=[found.pk]))
    assert "Nobody is told" in browser.get(reverse("reports")).content.decode()


def test_over_the_api_read_and_taken(pending, people, monkeypatch):
    monkeypatch.setattr(pdf, "pdf_of", lambda html: b"%PDF-1.7")
    browser = as_user(people.auditor)
    read = browser.get("/api/v1/reports/governance/").json()
    assert (read["report"], read["facts"]["asked"]) == ("governance", 1)
    sheet = browser.get("/api/v1/reports/governance/csv/?table=badges", headers={"Accept": "text/csv"})
    assert sheet.content.decode().splitlines()[0].startswith("job,repository,sign")
    missing = browser.get("/api/v1/reports/governance/csv/?table=none", headers={"Accept": "text/csv"})
    assert missing.status_code == 404
    made = browser.post("/api/v1/reports/governance/files/", {}, content_type="application/json").json()
    reporting.make(made["id"])
    assert browser.get(f"/api/v1/report-files/{made['id']}/").json()["state"] == "made"
    assert browser.get(f"/api/v1/report-files/{made['id']}/content/").content == b"%PDF-1.7"
