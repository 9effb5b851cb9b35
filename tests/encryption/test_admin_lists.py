"""The console's lists: bounded with 100,000 restore points, searched by name and id, actions by use cases."""

import re
import time
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from encryption.models import JobSession
from tests.encryption.test_admin import console  # noqa: F401

pytestmark = pytest.mark.django_db
POINTS = "/admin/encryption/restorepoint/"
LISTS = ("job", "repository", "restorepoint", "jobsession", "encryptionpassword", "passwordversion")
MANY = 100_000


@pytest.fixture
def many(bench) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO encryption_restorepoint (id, job_id, kind, created_at, size, source_bytes, entries)"
            " SELECT gen_random_uuid(), %s, 'full', now() - n * interval '1 minute', 1, 1, 1"
            " FROM generate_series(1, %s) n",
            [bench.job.pk, MANY],
        )
        cursor.execute("ANALYZE encryption_restorepoint")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?p=100",
        "?q=Ledg",
        "?verified=no",
        "?encrypted=no",
        "?created_at__gte=2020-01-01+00:00:00%2B00:00",
    ],
)
def test_hundred_thousand_points_are_a_page(console, many, query):  # noqa: F811
    with CaptureQueriesContext(
        connection,
    ) as queries:
        started = time.monotonic()
        page = console.get(POINTS + query)
        took = time.monotonic() - started
    counts = [one["sql"] for one in queries if "COUNT(*)" in one["sql"] and "restorepoint" in one["sql"]]
    assert (page.status_code, page.content.decode().count('class="action-select"')) == (200, 100)
    assert all("LIMIT 10000" in sql for sql in counts)
    assert took < 3, f"{took:.1f} s"


@pytest.mark.parametrize("model", LISTS)
def test_a_list_asks_as_often_for_many_rows_as_for_few(console, bench, model):  # noqa: F811
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert console.get(f"/admin/encryption/{model}/").status_code == 200
        return len(queries)

    bench.run()
    few = asked()
    for _ in range(3):
        bench.run()
    assert asked() <= few


def test_a_point_is_found_by_its_id(console, bench):  # noqa: F811
    point = bench.run()
    bench.run()
    found = console.get(POINTS, {"q": str(point.pk)}).content.decode()
    assert found.count('class="action-select"') == 1


def test_points_of_a_job_are_found_by_its_id(console, bench):  # noqa: F811
    bench.run()
    assert console.get(POINTS, {"q": str(bench.job.pk)}).content.decode().count('class="action-select"') == 1
    assert console.get(POINTS, {"q": str(uuid.uuid4())}).content.decode().count('class="action-select"') == 0


def test_verify_is_queued_by_its_use_case(console, bench):  # noqa: F811
    point = bench.run()
    console.post(POINTS, {"action": "verify", "_selected_action": [str(point.pk)]})
    assert JobSession.objects.get(kind="verify").restore_point == point.pk


def test_newest_point_of_a_job_is_verified(console, bench):  # noqa: F811
    bench.run()
    newest = bench.run()
    console.post("/admin/encryption/job/", {"action": "verify", "_selected_action": [str(bench.job.pk)]})
    assert JobSession.objects.get(kind="verify").restore_point == newest.pk


def test_asking_leads_to_the_form_with_the_jobs(console, bench):  # noqa: F811
    chosen = {"action": "ask_for_activation", "_selected_action": [str(bench.job.pk)]}
    answer = console.post("/admin/encryption/job/", chosen)
    assert answer["Location"] == f"/requests/activate/?job={bench.job.pk}"


def test_asking_for_another_password_needs_one(console, bench):  # noqa: F811
    chosen = {"action": "ask_for_change", "_selected_action": [str(bench.job.pk)]}
    assert (
        "one password in common"
        in console.post("/admin/encryption/job/", chosen, follow=True).content.decode()
    )


def test_sealed_values_are_on_no_page(console, activated):  # noqa: F811
    version = activated.job.password and activated.job.password.versions.first()
    page = console.get(f"/admin/encryption/passwordversion/{version.pk}/change/").content.decode()
    assert not re.search("sealed|kdf|known_to", page)
