"""The pages of people, rules and one's own account: nothing that axe or the browser complains of."""

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import SecurityMember
from approvals.models import ApprovalRequest
from approvals.services import requests
from tests.accounts.suspending import suspend
from tests.approvals.conftest import fresh_code, new_policy, roster  # noqa: F401
from tests.pages.browser.test_accessibility import faults, violations

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def governed(people: Any, roster: None) -> dict[str, ApprovalRequest]:  # noqa: F811
    """Rules with a pool, a suspended member, and open requests about a person and about the rules."""
    new_policy(quorum=1, pools=[{"title": "dpo", "count": 1}])
    suspend(people.ciso, people.third)
    reason = "The house has changed."
    return {
        "reset": requests.ask("reset_credentials", by=people.ciso, reason=reason, user=people.operator.pk),
        "rules": requests.ask(
            "change_policy", by=people.administrator, reason=reason, policy={"decide_days": 5, "pools": []}
        ),
    }


def seat_of(user: Any) -> str:
    return reverse("seat", args=[SecurityMember.objects.get(user=user, until=None).pk])


def pages_of(people: Any, governed: dict[str, ApprovalRequest]) -> dict[str, str]:
    asking = ("ask_add_member", "ask_remove_member", "ask_replace_member", "ask_grant", "ask_policy")
    asking += ("ask_reset", "ask_revoke")
    return {
        **{name: reverse(name) for name in ("people", "policies", "account", *asking)},
        **{name: reverse("request", args=[one.pk]) for name, one in governed.items()},
        "seat": seat_of(people.ciso),
        "suspended": seat_of(people.third),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_people_and_rules_have_no_fault(people, governed, open_page, complaints, scheme):
    page = open_page(people.dpo, color_scheme=scheme)
    pages = pages_of(people, governed)
    assert {name: found for name, url in pages.items() if (found := faults(page, url))} == {}
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_steps_have_no_fault(people, governed, open_page, complaints, scheme):
    page = open_page(people.dpo, color_scheme=scheme)
    page.goto(seat_of(people.third))
    page.click("text=Confirm it")
    assert violations(page) == []
    page.goto(reverse("token_new"))
    page.fill("[name=code]", fresh_code(people.dpo))
    page.click("main button.primary")
    assert violations(page) == []
    page.fill("[name=name]", "Grafana")
    page.click("text=Make the token")
    assert violations(page) == []
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_a_request_would_do_has_no_fault(people, roster, open_page, complaints, scheme):  # noqa: F811
    page = open_page(people.dpo, color_scheme=scheme)
    page.goto(f"{reverse('ask_reset')}?user={people.operator.pk}")
    page.fill("[name=reason]", "The telephone is lost.")
    page.click("text=See what it would do")
    assert violations(page) == []
    assert not ApprovalRequest.objects.exists()
    assert complaints == []
