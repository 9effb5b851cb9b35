"""Each page draws for each role, or says why not."""

import pytest
from django.urls import reverse

from tests.pages.conftest import ROLES, as_user, text_of

pytestmark = pytest.mark.django_db
PAGES = (
    "overview",
    "requests",
    "jobs",
    "passwords",
    "repositories",
    "people",
    "policies",
    "log",
    "events",
    "alarms",
    "account",
    "search",
    "mfa_index",
    "usersessions_list",
)
# Who may not open a page at all.
CLOSED = {
    "policies": {"operator", "nobody"},
    "passwords": {"nobody"},
    "log": {"operator", "nobody"},
    "events": {"operator", "nobody"},
    "alarms": {"nobody"},
}


@pytest.mark.parametrize("role", ROLES)
def test_every_page_draws_for_who_may_see_it(people, encrypted, pending, role):
    client = as_user(getattr(people, role))
    found = {name: client.get(reverse(name)).status_code for name in PAGES}
    assert found == {name: 403 if role in CLOSED.get(name, ()) else 200 for name in PAGES}


@pytest.mark.parametrize(
    "route", ["veeam_connect", "recovery_generate", "recovery_receive", "recovery_offer"]
)
def test_a_form_that_was_sent_empty_is_refused(people, route):
    client = as_user(people.administrator)
    if route.startswith("recovery"):
        people.administrator.role_grants.create(role="enterprise")
    assert client.get(reverse(route)).status_code == 200
    assert client.post(reverse(route)).status_code == 400


@pytest.mark.parametrize("role", ["operator", "administrator", "dpo", "auditor"])
def test_job_draws(people, encrypted, role):
    response = as_user(getattr(people, role)).get(reverse("job", args=[encrypted.pk]))
    assert "Mail 2026" in text_of(response)


def test_job_says_what_was_changed_behind_our_back(people, encrypted):
    text = text_of(as_user(people.dpo).get(reverse("job", args=[encrypted.pk])))
    assert "Changed behind our back" in text
    assert "Approved by security" not in text


def test_job_of_others_is_not_found(people, encrypted):
    response = as_user(people.nobody).get(reverse("job", args=[encrypted.pk]))
    assert response.status_code == 404


def test_password_shows_what_each_version_opens(people, encrypted):
    text = text_of(as_user(people.dpo).get(reverse("password", args=[encrypted.password_id])))
    assert "3 points" in text
