"""Pages cost as many queries for many things as for few, and who looks is read once for a page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.pages.conftest import as_user

pytestmark = pytest.mark.django_db


def queries(client, route: str) -> list[str]:
    client.get(reverse(route))
    with CaptureQueriesContext(connection) as found:
        assert client.get(reverse(route)).status_code == 200
    return [query["sql"] for query in found]


@pytest.mark.parametrize("route", ["overview", "jobs", "requests"])
def test_many_jobs_and_requests_cost_no_more_queries(people, make_job, ask, route):
    client = as_user(people.dpo)
    ask(make_job("Job 0"))
    few = len(queries(client, route))
    for number in range(1, 6):
        ask(make_job(f"Job {number}"))
    assert len(queries(client, route)) == few


@pytest.mark.parametrize("route", ["overview", "jobs", "requests", "log"])
def test_roles_are_read_once_for_a_page(people, route):
    found = queries(as_user(people.dpo), route)
    assert len([sql for sql in found if sql.startswith('SELECT "accounts_rolegrant"."role"')]) == 1


def test_what_waits_is_read_once_for_page_and_frame(people, make_job, ask):
    ask(make_job("Job 0"))
    found = queries(as_user(people.dpo), "overview")
    assert len([sql for sql in found if 'FROM "approvals_approvalrequest"' in sql]) == 1


def test_a_role_that_is_taken_away_shows_with_the_next_page(people):
    """P6: what is kept is kept for one page."""
    client = as_user(people.auditor)
    assert client.get(reverse("log")).status_code == 200
    people.auditor.role_grants.update(until=timezone.now())
    assert client.get(reverse("log")).status_code == 403
