"""Pages of recovery on both sides: nothing that axe finds; a keyset compared and asked for in a browser."""

from typing import Any

import pytest
from django.urls import reverse

from approvals.models import ApprovalRequest
from recovery.documents.forms import in_groups
from recovery.models import Keyset
from recovery.services import cases, taking
from tests.approvals.conftest import approve, work
from tests.pages.browser.test_accessibility import NARROW, WIDE, faults, violations
from tests.recovery.conftest import (  # noqa: F401
    ask,
    decided,
    encrypted,
    enterprise,
    job,
    keyset,
    make_job,
    people,
    roster,
    transactional,
)
from tests.recovery.other import Manager

pytestmark = pytest.mark.django_db(transaction=True)
FORMS = (
    "recovery",
    "recovery_take",
    "recovery_generate",
    "recovery_offer",
    "recovery_receive",
    "recovery_own",
    "ask_take_keyset",
    "ask_activate_keyset",
    "ask_import_keyset",
    "ask_export_keyset",
)


def pages_of_recovery(keyset: Keyset) -> dict[str, str]:  # noqa: F811
    return {name: reverse(name) for name in FORMS} | {
        "announcement": reverse("recovery_announcement", args=[keyset.pk])
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_recovery_have_no_fault(people, enterprise, encrypted, open_page, complaints, scheme):  # noqa: F811
    page = open_page(people.dpo, color_scheme=scheme)
    pages = pages_of_recovery(Keyset.objects.get())
    assert {name: found for name, url in pages.items() if (found := faults(page, url))} == {}
    case = cases.ask([encrypted.pk], by=people.operator, reason="Lost.")
    cases.make_request(case.pk)
    page = open_page(people.operator, color_scheme=scheme)
    assert faults(page, reverse("recovery_new")) == []
    assert faults(page, reverse("recovery_case", args=[case.pk])) == []
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_another_installations_keyset_from_its_text_to_new_points(
    people,  # noqa: F811
    enterprise,  # noqa: F811
    open_page,
    complaints,
    scheme,
):
    text = Manager().announce("Of the head office")
    fingerprint = in_groups(taking.read(text).fingerprint)
    page: Any = open_page(enterprise, color_scheme=scheme)
    page.goto(reverse("recovery"))
    page.click("text=Take another installation's")
    page.fill("[name=text]", "> " + text.replace("\n", "\n> "))
    page.fill("[name=reason]", "As the plan says.")
    page.click("main button.primary")
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert fingerprint in page.locator("#preview").inner_text()
    page.click("main button.primary")
    request = ApprovalRequest.objects.get()
    decider = open_page(people.dpo, color_scheme=scheme)
    url = reverse("request", args=[request.pk])
    assert faults(decider, url) == []
    assert fingerprint in decider.locator("main").inner_text()
    approve(people.dpo, request)
    work(request)
    page.goto(reverse("recovery"))
    assert "new restore points are also wrapped for Of the head office" in page.locator("main").inner_text()
    assert complaints == []
