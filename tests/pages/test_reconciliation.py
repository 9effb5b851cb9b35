"""Events and reconciliation on pages, as CSV and over the API."""

import csv
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import Alarm
from encryption.models import Reconciled, VeeamEvent
from encryption.services.veeam import exceptions
from tests.pages.conftest import as_user, text_of
from tests.pages.reconciled_house import make_event, make_reconciled

pytestmark = pytest.mark.django_db
API = "/api/v1/veeam"


@pytest.fixture
def house(people, pending):
    return make_reconciled(people, pending)


def page(server, **query):
    return reverse("veeam_reconciliation", args=[server.pk], query=query)


def sheet(user, server, **query) -> list[dict[str, str]]:
    url = reverse("veeam_reconciliation_export", args=[server.pk], query=query)
    lines = b"".join(as_user(user).get(url).streaming_content).decode().splitlines()
    return list(csv.DictReader(lines))


def test_the_page_shows_both_populations_and_every_gap(people, house):
    text = text_of(as_user(people.auditor).get(page(house)))
    for said in ("Events that Veeam sent", "Changes that readings found", "2 gaps, 1 h together"):
        assert said in text


def test_what_is_settled_leads_to_its_request(people, house, pending):
    text = text_of(as_user(people.auditor).get(page(house, show="settled")))
    assert f"R-{pending.number}" in text


def test_the_days_narrow_the_page(people, house):
    text = text_of(as_user(people.auditor).get(page(house, **{"from": "2001-01-01", "to": "2001-01-02"})))
    assert "Nothing without an owner" in text


@pytest.mark.parametrize("query", [{"from": "x"}, {"from": "2026-02-31"}, {"show": "x"}, {"page": "x"}])
def test_nonsense_in_an_address_is_no_error(people, house, query):
    assert as_user(people.auditor).get(page(house, **query)).status_code == 200


def test_the_sheet_tells_all_and_its_counts_add_up(people, house):
    rows = sheet(people.auditor, house)
    counts = {(row["kind"], row["name"]): int(row["text"]) for row in rows if row["record"] == "count"}
    for population, record in (
        ("Events that Veeam sent", "event"),
        ("Changes that readings found", "difference"),
    ):
        mine = [row for row in rows if row["record"] == record]
        parts = [count for (kind, name), count in counts.items() if kind == population and name != "all"]
        assert counts[population, "all"] == len(mine) == sum(parts)
    assert len([row for row in rows if row["record"] == "gap"]) == 2


def test_the_sheet_names_owner_and_request(people, house, pending):
    rows = sheet(people.auditor, house)
    assert {row["owner"] for row in rows if row["belongs_to"] == "exception with an owner"} == {"Dora"}
    assert {row["request"] for row in rows if row["belongs_to"] == "request"} == {f"R-{pending.number}"}


def test_no_cell_of_the_sheet_is_a_formula(people, house):
    make_event(house, 31700, 9, "@SUM(A1)")
    cells = [cell for row in sheet(people.auditor, house) for cell in row.values()]
    assert "'=cmd|' /C calc'!A0" in cells
    assert [cell for cell in cells if cell[:1] in "=+-@" and cell] == []


def test_exceptions_get_an_owner_by_the_page(people, house):
    row = Reconciled.objects.filter(request=None, owner=None, event__isnull=False).first()
    url = reverse("veeam_reconciliation_assign", args=[house.pk])
    given = {"exception": str(row.pk), "owner": str(people.ciso.pk), "note": "a drill"}
    assert as_user(people.dpo).post(url, given).status_code == 302
    row.refresh_from_db()
    assert (row.owner, row.note) == (people.ciso, "a drill")


@pytest.mark.parametrize("name", ["operator", "auditor"])
def test_others_give_no_owner(people, house, name):
    row = Reconciled.objects.filter(request=None, owner=None).first()
    url = reverse("veeam_reconciliation_assign", args=[house.pk])
    given = {"exception": str(row.pk), "owner": str(people.dpo.pk), "note": "x"}
    assert as_user(getattr(people, name)).post(url, given).status_code == 403


@pytest.mark.parametrize(
    "given", [{}, {"owner": "x"}, {"owner": str(uuid4())}, {"exception": "x"}, {"exception": str(uuid4())}]
)
def test_a_form_that_cannot_be_changes_nothing(people, house, given):
    url = reverse("veeam_reconciliation_assign", args=[house.pk])
    answer = as_user(people.dpo).post(url, {"owner": str(people.dpo.pk), "note": "x"} | given, follow=True)
    assert answer.status_code in (200, 403)
    assert Reconciled.objects.filter(owner__isnull=False).count() == 1


def test_the_alarm_leads_to_the_reconciliation(people, house):
    exceptions.sound_within(house)
    assert Alarm.objects.filter(kind="veeam.unexplained").exists()
    assert page(house) in text_of(as_user(people.dpo).get(reverse("alarms")))


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 10),
        ({"number": "31700"}, 4),
        ({"server": "unknown"}, 1),
        ({"user": "user2"}, 1),
        ({"number": "x"}, 10),
    ],
)
def test_the_list_of_events_narrows(people, house, query, count):
    text = text_of(as_user(people.auditor).get(reverse("veeam_events", query=query)))
    assert text.count('data-label="Belongs to"') == count


@pytest.mark.parametrize("name", ["veeam_events", "veeam_reconciliation"])
def test_a_page_costs_as_much_for_many_events_as_for_few(people, house, name):
    browser, url = as_user(people.auditor), reverse("veeam_events") if name == "veeam_events" else page(house)
    browser.get(url)
    with CaptureQueriesContext(connection) as few:
        browser.get(url)
    for number in range(60):
        event = make_event(house, 31700, number + 40, r"TECH\user1")
        Reconciled.objects.create(event=event, why="By …")
    with CaptureQueriesContext(connection) as many:
        browser.get(url)
    assert len(many) <= len(few) + 1


def test_the_api_tells_counts_and_gaps(people, house):
    found = as_user(people.auditor).get(f"{API}/servers/{house.pk}/reconciliation/").json()
    assert found["events"] == {"total": 9, "settled": 3, "owned": 1, "unowned": 4, "waiting": 1}
    assert (found["differences"]["total"], len(found["gaps"]), found["listening"]) == (1, 2, True)


def test_the_api_lists_events_with_where_they_belong(people, house):
    found = as_user(people.auditor).get(f"{API}/events/", {"number": 31700, "page_size": 2}).json()
    assert (len(found["results"]), bool(found["next"])) == (2, True)
    event = VeeamEvent.objects.get(pk=found["results"][0]["id"])
    assert found["results"][0]["belongs"]["request"] == str(event.reconciled.request)
