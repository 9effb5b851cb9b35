"""The analyzer's pages, with something of everything: nothing that axe or the browser complains of."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from approvals.services import requests
from compliance.models import Finding
from compliance.services import analyzing
from tests.approvals.conftest import approve, roster, work  # noqa: F401
from tests.pages.browser.test_accessibility import faults
from tests.pages.veeam_house import make_story

pytestmark = pytest.mark.django_db(transaction=True)


def look(people):
    return analyzing.analyze(analyzing.ask(by=people.dpo).pk).findings


@pytest.fixture
def assessed(people, roster, encrypted):  # noqa: F811
    """Three runs over a house with a Veeam server; one finding is suppressed."""
    make_story()
    finding = look(people).get(code="data.immutable")
    day = (datetime.now(UTC) + timedelta(days=60)).date()
    wish = {"finding": finding.pk, "note": "The new vault comes in spring.", "until": day}
    asked = requests.ask("suppress_finding", by=people.administrator, reason="It is ordered.", **wish)
    work(approve(people.dpo, asked))
    look(people)
    return look(people)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_compliance_has_no_fault(people, assessed, open_page, complaints, scheme):
    page = open_page(people.dpo, color_scheme=scheme)
    mine = reverse("compliance")
    pages = {
        "checks": mine,
        "controls": f"{mine}?show=controls",
        "jobs": f"{mine}?show=jobs",
        "people": reverse("finding", args=[assessed.get(code="people.factors").pk]),
        "suppressed": reverse("finding", args=[assessed.get(code="data.immutable").pk]),
        "older": reverse("finding", args=[Finding.objects.earliest("assessment__done_at").pk]),
        "ask": reverse("ask_suppress") + f"?finding={assessed.get(code='jobs.encrypted').pk}",
        "overview": reverse("overview"),
    }
    assert {name: found for name, url in pages.items() if (found := faults(page, url))} == {}
    assert complaints == []


def test_a_suppression_is_asked_for_by_hand(people, assessed, open_page):
    page = open_page(people.administrator)
    page.goto(reverse("finding", args=[assessed.get(code="jobs.encrypted").pk]))
    page.click("text=Ask to suppress")
    page.fill("[name=note]", "Nothing of worth is in it.")
    page.fill("[name=reason]", "It was agreed.")
    page.click("main button.primary")
    assert "Suppress the finding" in page.text_content("main")
