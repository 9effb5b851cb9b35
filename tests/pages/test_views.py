"""Each page draws for each role, or says why not."""

import pytest
from django.urls import reverse

from tests.pages.conftest import ROLES, as_user, text_of

pytestmark = pytest.mark.django_db
PLAIN = (
    "overview",
    "requests",
    "jobs",
    "passwords",
    "repositories",
    "people",
    "log",
    "alarms",
    "account",
    "search",
)
# Who may not open a page at all.
CLOSED = {
    "passwords": {"nobody"},
    "log": {"operator", "nobody"},
    "alarms": {"nobody"},
}


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("role", ROLES)
def test_page_draws_for_who_may_see_it(people, encrypted, pending, name, role):
    response = as_user(getattr(people, role)).get(reverse(name))
    assert response.status_code == (403 if role in CLOSED.get(name, ()) else 200)


@pytest.mark.parametrize("role", ["operator", "administrator", "dpo", "auditor"])
def test_job_draws(people, encrypted, role):
    response = as_user(getattr(people, role)).get(reverse("job", args=[encrypted.pk]))
    assert "Mail 2026" in text_of(response)


def test_job_of_others_is_not_found(people, encrypted):
    response = as_user(people.nobody).get(reverse("job", args=[encrypted.pk]))
    assert response.status_code == 404
