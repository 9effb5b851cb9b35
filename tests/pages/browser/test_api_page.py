"""The API's page: everything from here, under the content policy, for those who are signed in."""

import pytest
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator

from tests.approvals.conftest import People, people  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_operation_is_shown_and_nothing_is_refused(open_page, people: People, complaints):  # noqa: F811
    page = open_page(people.auditor)
    page.goto(reverse("api_docs"))
    page.wait_for_selector(".opblock-tag")
    # All tags are open at first; an operation is one block.
    shown = page.locator(".opblock").count()
    described = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    assert (shown, complaints) == (sum(len(item) for item in described.values()), [])


def test_a_call_from_the_page_is_answered(open_page, people: People, complaints):  # noqa: F811
    page = open_page(people.auditor)
    page.goto(reverse("api_docs"))
    page.click("#operations-me-me_retrieve .opblock-summary-control")
    page.click("#operations-me-me_retrieve .try-out__btn")
    page.click("#operations-me-me_retrieve .execute")
    page.wait_for_selector("#operations-me-me_retrieve .live-responses-table")
    assert people.auditor.username in page.inner_text("#operations-me-me_retrieve .live-responses-table")
    assert complaints == []


def test_nobody_is_led_to_sign_in(client):
    assert client.get("/docs/api/")["Location"] == "/account/login/?next=/docs/api/"
