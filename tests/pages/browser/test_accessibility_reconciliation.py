"""Events and reconciliation with something of everything: nothing that axe or the browser complains of."""

import pytest
from django.urls import reverse

from tests.pages.browser.test_accessibility import faults
from tests.pages.reconciled_house import make_reconciled

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_events_and_reconciliation_have_no_fault(people, open_page, complaints, scheme):
    server = make_reconciled(people)
    page = open_page(people.dpo, color_scheme=scheme)
    events, mine = reverse("veeam_events"), reverse("veeam_reconciliation", args=[server.pk])
    pages = {
        "events": events,
        "strangers": f"{events}?server=unknown",
        "none": f"{events}?user=nobody-at-all",
        "reconciliation": mine,
        "owned": f"{mine}?show=owned",
        "settled": f"{mine}?show=settled",
    }
    assert {name: found for name, url in pages.items() if (found := faults(page, url))} == {}
    assert complaints == []


def test_an_exception_gets_its_owner_by_hand(people, open_page):
    server = make_reconciled(people)
    page = open_page(people.dpo)
    page.goto(reverse("veeam_reconciliation", args=[server.pk]))
    page.check("input[name=exception] >> nth=0")
    page.fill("#note", "A drill that was announced.")
    page.click("main button.primary")
    assert "1 exception got an owner" in page.text_content("main")
