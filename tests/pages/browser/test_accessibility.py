"""Every page: nothing that axe finds or the browser complains of, nothing wider than the screen."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse

from approvals.models import ApprovalRequest
from encryption.models import JobSession, RestorePoint
from tests.approvals.conftest import approve

pytestmark = pytest.mark.django_db(transaction=True)
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def pages_of_security(request: ApprovalRequest, encrypted: Any) -> dict[str, str]:
    names = (
        "overview",
        "requests",
        "jobs",
        "passwords",
        "repositories",
        "people",
        "log",
        "events",
        "alarms",
        "account",
        "custody",
        "recovery",
        "recovery_automatic",
    )
    plain = {name: reverse(name) for name in (*names, "mfa_index", "usersessions_list", "mfa_activate_totp")}
    return plain | {
        "decided": reverse("requests") + "?tab=decided",
        "request": reverse("request", args=[request.pk]),
        "print": reverse("request_print", args=[request.pk]),
        "job": reverse("job", args=[encrypted.pk]),
        "password": reverse("password", args=[encrypted.password_id]),
        "search": reverse("search") + "?q=mail",
        "session": reverse("session", args=[JobSession.objects.first().pk]),
    }


def pages_of_an_operator(encrypted: Any) -> dict[str, str]:
    asking = {name: reverse(name) for name in ("ask_activate", "ask_change", "ask_deactivate", "ask_delete")}
    return asking | {
        "restore": reverse("restore", args=[RestorePoint.objects.first().pk]),
        "job": reverse("job", args=[encrypted.pk]),
    }


def violations(page: Any) -> list[dict[str, Any]]:
    """What axe finds on a page as it stands."""
    return page.run(lambda real: Axe().run(real).response)["violations"]


def faults(page: Any, url: str) -> list[str]:
    """What is wrong with a page, wide and narrow."""
    found = []
    page.goto(url)
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        for violation in violations(page):
            places = [node["target"] for node in violation["nodes"][:3]]
            found.append(f"{size['width']}: {violation['id']} at {places}")
        if page.evaluate("document.documentElement.scrollWidth") > size["width"]:
            found.append(f"{size['width']}: wider than the screen")
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_security_have_no_fault(people, encrypted, pending, open_page, complaints, scheme):
    approve(people.ciso, pending)
    page = open_page(people.dpo, color_scheme=scheme)
    pages = pages_of_security(pending, encrypted)
    assert {name: found for name, url in pages.items() if (found := faults(page, url))} == {}
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_an_operator_have_no_fault(people, encrypted, open_page, complaints, scheme):
    page = open_page(people.operator, color_scheme=scheme)
    pages = pages_of_an_operator(encrypted)
    assert {name: found for name, url in pages.items() if (found := faults(page, url))} == {}
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_decision_has_no_fault(people, pending, open_page, complaints, scheme):
    page = open_page(people.dpo, color_scheme=scheme)
    url = reverse("request", args=[pending.pk])
    assert faults(page, url) == []
    page.click("button[value=approve]")
    assert violations(page) == []
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_for_nobody_have_no_fault(people, open_page, scheme):
    page = open_page(color_scheme=scheme)
    pages = (reverse("account_login"), reverse("first_start", args=["nonsense"]), "/nowhere/")
    assert {url: found for url in pages if (found := faults(page, url))} == {}
